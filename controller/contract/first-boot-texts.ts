import {
  faultText,
  parseAnswerTemplate,
  renderAnswerTemplate,
  unknownHole,
  variablesIn,
} from './answer-template.ts';
import type { FirstBoot } from './image-profile.ts';
import {
  BUILT_IN_VARIABLES,
  type BuiltInVariable,
  type MachineVariables,
  variablesOf,
} from './installer-profile.ts';

/** A label of RFC 1123, in small letters. */
const HOST_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** In characters: as long as it may be written, so that holes do not make it more than an agent takes. */
export const USER_DATA_MOST = 64 * 1024;

/** What an edge fills in; an image is installed from no tree, and no installer asks for the end. */
type Filled = Exclude<BuiltInVariable, 'tree.url' | 'tree.path' | 'installed.url'>;
export type FirstBootVariables = Readonly<Record<Filled, string>>;

const WITHOUT_TREE = { 'tree.url': undefined, 'tree.path': undefined, 'installed.url': undefined } as const;

/** What of an image profile is text with holes, and what fills them. */
interface Texts {
  /** Left out: the texts are taken as they are, whatever of them looks like a hole. */
  readonly variables?: Readonly<Record<string, string | null>> | undefined;
  readonly firstBoot: Pick<FirstBoot, 'hostname' | 'userData'>;
}

type Text = 'hostname' | 'userData';

/** The texts of one machine; of those that the profile does not have there is none. */
type Rendered =
  | { readonly ok: true; readonly texts: { readonly hostname?: string; readonly userData?: string } }
  | { readonly ok: false; readonly text: Text; readonly reason: string };

/** The texts for one machine, every hole filled. Pure. */
export function renderFirstBoot(
  profile: Texts,
  own: MachineVariables,
  builtIn: FirstBootVariables,
): Rendered {
  return render(profile, own, builtIn, undefined);
}

/**
 * Why the texts can be right for no machine that has these variables, whatever those are that it has beside; undefined
 * where they can. Pure.
 */
export function firstBootFault(
  profile: Texts,
  own: MachineVariables = {},
): { readonly text: Text; readonly reason: string } | undefined {
  const tried = render(profile, own, BUILT_IN_VARIABLES, 'x');
  return tried.ok ? undefined : tried;
}

/** Why the texts cannot be filled for a machine that has these variables and no others; undefined where they can. Pure. */
export function firstBootProblem(profile: Texts, own: MachineVariables): string | undefined {
  const { variables = {}, firstBoot } = profile;
  const used = [firstBoot.hostname, firstBoot.userData].flatMap((text = '') => {
    const parsed = parseAnswerTemplate(text);
    return parsed.ok ? [...variablesIn(parsed.template)] : [];
  });
  const missing = Object.keys(variables).filter(
    (name) => used.includes(name) && variables[name] === null && !Object.hasOwn(own, name),
  );
  if (missing.length > 0) return `the machine has no value for ${missing.join(', ')}`;
  const rendered = render(profile, own, BUILT_IN_VARIABLES, undefined);
  return rendered.ok ? undefined : `firstBoot.${rendered.text}: ${rendered.reason}`;
}

function render(
  { variables, firstBoot: { hostname, userData } }: Texts,
  own: MachineVariables,
  builtIn: FirstBootVariables,
  standIn: string | undefined,
): Rendered {
  if (variables === undefined)
    return hostname === undefined
      ? { ok: true, texts: userData === undefined ? {} : { userData } }
      : {
          ok: false,
          text: 'hostname',
          reason: 'needs variables beside it: {} where it is filled by built-in ones',
        };
  const known = { ...builtIn, ...WITHOUT_TREE };
  const lookUp = variablesOf(standIn === undefined ? { variables } : { variables, standIn }, own, known);
  const isKnown = (name: string): boolean =>
    Object.hasOwn(known, name)
      ? known[name as BuiltInVariable] !== undefined
      : Object.hasOwn(variables, name);
  const texts: { hostname?: string; userData?: string } = {};
  for (const [text, template] of [
    ['hostname', hostname],
    ['userData', userData],
  ] as const) {
    if (template === undefined) continue;
    const filled = fill(template, lookUp, isKnown);
    if (!filled.ok) return { ok: false, text, reason: filled.reason };
    const value = text === 'hostname' ? filled.text.toLowerCase() : filled.text;
    if (text === 'hostname' && !HOST_NAME.test(value))
      return {
        ok: false,
        text,
        reason: `makes '${value.slice(0, 80)}', which is no host name of 1 to 63 of a-z 0-9 -`,
      };
    if (value.length > USER_DATA_MOST)
      return { ok: false, text, reason: 'is more than 64 KiB once it is filled' };
    texts[text] = value;
  }
  return { ok: true, texts };
}

function fill(
  template: string,
  lookUp: (variable: string) => string | undefined,
  isKnown: (variable: string) => boolean,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string } {
  const parsed = parseAnswerTemplate(template);
  if (!parsed.ok) return { ok: false, reason: faultText(parsed.fault) };
  const unknown = unknownHole(parsed.template, isKnown);
  if (unknown)
    return { ok: false, reason: `${faultText(unknown)} among its variables and the built-in ones` };
  const rendered = renderAnswerTemplate(parsed.template, lookUp);
  return rendered.ok ? rendered : { ok: false, reason: faultText(rendered.fault) };
}

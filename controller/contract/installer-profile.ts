import { type BootStyle, KernelArgument } from '@bootswarm/images/format';
import { z } from 'zod';
import {
  answerValueProblem,
  faultText,
  parseAnswerTemplate,
  renderAnswerTemplate,
  unknownHole,
  variablesIn,
} from './answer-template.ts';
import { Name } from './names.ts';
import { ReleaseRef } from './release-ref.ts';

const ANSWERS_MOST_BYTES = 64 * 1024;

/**
 * What an edge fills in by itself, with a value such as it has, by which a profile is tried when it is applied.
 * A machine's own variables have no dot in their names, so none of them hides one of these.
 */
export const BUILT_IN_VARIABLES = {
  'machine.id': 'm-0123456789',
  'machine.mac': '52:54:00:12:34:56',
  /** Empty where its firmware tells none. */
  'machine.uuid': '00000000-0000-4000-8000-000000000000',
  'machine.address': '10.1.2.100',
  /** Of its reservation in the segment; else its id. */
  'machine.hostname': 'm-0123456789',
  'segment.name': 'segment',
  'segment.subnet': '10.1.2.0/24',
  'segment.netmask': '255.255.255.0',
  /** These three are empty where the segment names none. */
  'segment.router': '10.1.2.1',
  'segment.dns': '10.1.2.2',
  'segment.domain': 'example',
  'edge.url': 'http://10.1.2.3:8480',
  /** Host and port of that, as debian-installer's `mirror/http/hostname` takes it. */
  'edge.host': '10.1.2.3:8480',
  /** The mirrored tree of the release, at the edge. */
  'tree.url': 'http://10.1.2.3:8480/trees/name/1/amd64',
  /** Its path alone. */
  'tree.path': '/trees/name/1/amd64',
  /** Fetched by the installer once it is done. */
  'installed.url': 'http://10.1.2.3:8480/installed/1-token',
  'release.id': 'name/1/amd64',
  'release.name': 'name',
  'release.version': '1',
  'release.architecture': 'amd64',
} as const satisfies Readonly<Record<string, string>>;
export type BuiltInVariable = keyof typeof BUILT_IN_VARIABLES;

export const VariableName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be 1 to 63 of a-z 0-9 _ and start with a letter');
export const VariableValue = z
  .string()
  .max(1024)
  .superRefine((value, context) => {
    const reason = answerValueProblem(value);
    if (reason !== undefined) context.addIssue({ code: 'custom', message: reason });
  });

/** Of one machine: each takes the place of its profile's default. */
export const MachineVariables = z
  .record(VariableName, VariableValue)
  .refine((variables) => Object.keys(variables).length <= 128, 'must not be more than 128');
export type MachineVariables = z.infer<typeof MachineVariables>;

export const InstallerKind = z.enum(['preseed', 'kickstart', 'autoinstall']);
export type InstallerKind = z.infer<typeof InstallerKind>;

/** Boot styles of the releases that it can run. Ubuntu's installer is a live system. */
export const INSTALLER_STYLES: Readonly<Record<InstallerKind, readonly BootStyle[]>> = {
  preseed: ['installer'],
  kickstart: ['installer'],
  autoinstall: ['installer', 'casper'],
};

/** How a distribution's own installer is run on a machine: which one, and the answers it is given. */
export const InstallerProfile = z
  .strictObject({
    name: Name,
    release: ReleaseRef,
    kind: InstallerKind,
    /** The answer file, with holes: see answer-template.ts. */
    answers: z
      .string()
      .min(1)
      .refine(
        (text) => new TextEncoder().encode(text).length <= ANSWERS_MOST_BYTES,
        'must be at most 64 KiB long',
      ),
    /** Defaults by name; null where each machine must have its own value. */
    variables: z.record(VariableName, VariableValue.nullable()).default({}),
    /** Behind those that the installer needs to find its answers. */
    kernelArguments: z.array(KernelArgument).max(64).default([]),
  })
  .superRefine((profile, context) => {
    const issue = (path: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const parsed = parseAnswerTemplate(profile.answers);
    if (!parsed.ok) return issue(['answers'], faultText(parsed.fault));
    const unknown = unknownHole(
      parsed.template,
      (name) => Object.hasOwn(BUILT_IN_VARIABLES, name) || Object.hasOwn(profile.variables, name),
    );
    if (unknown) return issue(['answers'], `${faultText(unknown)} among its variables and the built-in ones`);
    const fault = answersFault(profile);
    if (fault !== undefined) return issue(['answers'], fault);
    if (profile.kind === 'autoinstall' && !/^#cloud-config[ \t]*\r?(?:\n|$)/.test(profile.answers))
      issue(['answers'], "line 1, column 1: must be '#cloud-config', by which cloud-init knows what it is");
    for (const [index, argument] of profile.kernelArguments.entries())
      if (argument.includes('{{'))
        issue(['kernelArguments', index], 'must not hold {{: only answers have holes');
    return undefined;
  });
export type InstallerProfile = z.infer<typeof InstallerProfile>;

/** Why the answers can be right for no machine that has these variables, whatever it has beside; undefined where they can. */
export function answersFault(
  profile: Pick<InstallerProfile, 'answers' | 'variables'>,
  own: MachineVariables = {},
): string | undefined {
  const parsed = parseAnswerTemplate(profile.answers);
  if (!parsed.ok) return faultText(parsed.fault);
  // Where a machine brings the value, any word stands for it here.
  const lookUp = variablesOf({ ...profile, standIn: 'x' }, own, BUILT_IN_VARIABLES);
  const tried = renderAnswerTemplate(parsed.template, lookUp);
  return tried.ok ? undefined : faultText(tried.fault);
}

/** The value of a variable for a machine: built in, the machine's own, or the profile's default. */
export function variablesOf(
  { variables, standIn }: Pick<InstallerProfile, 'variables'> & { readonly standIn?: string },
  own: MachineVariables,
  builtIn: Readonly<Record<BuiltInVariable, string | undefined>>,
): (name: string) => string | undefined {
  return (name) => {
    if (Object.hasOwn(builtIn, name)) return builtIn[name as BuiltInVariable];
    if (!Object.hasOwn(variables, name)) return undefined;
    return (Object.hasOwn(own, name) ? own[name] : variables[name]) ?? standIn;
  };
}

/**
 * Why a profile cannot install a machine that has these variables, as far as that can be told before it boots;
 * undefined where it can.
 */
export function profileProblem(profile: InstallerProfile, own: MachineVariables): string | undefined {
  const parsed = parseAnswerTemplate(profile.answers);
  if (!parsed.ok) return faultText(parsed.fault);
  const used = variablesIn(parsed.template);
  const missing = Object.keys(profile.variables).filter(
    (name) => used.has(name) && profile.variables[name] === null && !Object.hasOwn(own, name),
  );
  if (missing.length > 0) return `the machine has no value for ${missing.join(', ')}`;
  const rendered = renderAnswerTemplate(parsed.template, variablesOf(profile, own, BUILT_IN_VARIABLES));
  return rendered.ok ? undefined : faultText(rendered.fault);
}

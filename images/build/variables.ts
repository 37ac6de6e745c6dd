import type { Located, LocatedMap, LocatedScalar, Place } from './recipe-document.ts';

/** What a recipe may call a variable; upper case, as in the environment. */
const VARIABLE_NAME = /^[A-Z][A-Z0-9_]*$/;

/** `$${` stays a literal `${`; anything else that begins with `${` must be a whole reference. */
const REFERENCE = /\$\$\{|\$\{([^}\n]*)\}?/g;

export interface VariableFault extends Place {
  readonly message: string;
  readonly remedy: string;
}

/**
 * The variables of a recipe: those it declares, with the values that were set in place of their defaults.
 * Values are text and are not expanded themselves.
 * @param declared the value of the key `variables`.
 */
export function variablesOf(
  declared: Located | undefined,
  set: Readonly<Record<string, string>>,
  recipe: Place,
): { readonly values: ReadonlyMap<string, string>; readonly faults: readonly VariableFault[] } {
  const values = new Map<string, string>();
  const faults: VariableFault[] = [];
  const entries = declared?.kind === 'map' ? [...declared.entries] : [];
  if (declared !== undefined && declared.kind !== 'map')
    faults.push({
      ...declared.place,
      message: 'variables must be a map of names and texts',
      remedy: 'Write `variables:` and below it a line `NAME: "text"` for each.',
    });
  for (const [name, { place, value }] of entries) {
    const given = Object.hasOwn(set, name) ? set[name] : undefined;
    const known = given ?? (value.kind === 'scalar' ? value.value : undefined);
    if (!VARIABLE_NAME.test(name)) {
      faults.push({
        ...place,
        message: `variables.${name} must be A to Z, 0 to 9 and _, and begin with a letter`,
        remedy: 'Rename the variable.',
      });
    } else if (typeof known === 'string') values.set(name, known);
    else if (known === null)
      faults.push({
        ...place,
        message: `variables.${name} has no value`,
        remedy: `Give it by --set ${name}=TEXT, or a default in the recipe.`,
      });
    else
      faults.push({
        ...place,
        message: `variables.${name} must be text`,
        remedy: 'Write the value in quotes.',
      });
  }
  const names = entries.map(([name]) => name);
  for (const name of Object.keys(set).filter((key) => !names.includes(key)))
    faults.push({
      ...recipe,
      message: `--set ${name}: the recipe declares no variable of that name`,
      remedy: `Declare it under \`variables\`${names.length === 0 ? '' : `, or set one of: ${names.join(', ')}`}.`,
    });
  return { values, faults };
}

/**
 * Puts the values of variables into every text of a recipe (not into keys). Nothing is evaluated.
 * A reference to what is not declared is a fault, never an empty text.
 */
export function expandVariables(
  recipe: LocatedMap,
  values: ReadonlyMap<string, string>,
): { readonly recipe: LocatedMap; readonly faults: readonly VariableFault[] } {
  const faults: VariableFault[] = [];
  const expand = (node: Located): Located => {
    if (node.kind === 'scalar') return expandText(node, values, faults);
    return node.kind === 'list' ? { ...node, items: node.items.map(expand) } : expandMap(node);
  };
  const expandMap = (map: LocatedMap): LocatedMap => ({
    ...map,
    entries: new Map([...map.entries].map(([key, entry]) => [key, { ...entry, value: expand(entry.value) }])),
  });
  return { recipe: expandMap(recipe), faults };
}

function expandText(
  scalar: LocatedScalar,
  values: ReadonlyMap<string, string>,
  faults: VariableFault[],
): LocatedScalar {
  const text = scalar.value;
  if (typeof text !== 'string') return scalar;
  const expanded = text.replace(REFERENCE, (reference, name: string | undefined, offset: number) => {
    if (reference === '$${') return '${';
    const value = values.get(name ?? '');
    if (value !== undefined && reference.endsWith('}')) return value;
    const line = scalar.textLine + text.slice(0, offset).split('\n').length - 1;
    faults.push({ file: scalar.place.file, line, ...whyUnknown(reference, name ?? '', [...values.keys()]) });
    return reference;
  });
  return { ...scalar, value: expanded };
}

function whyUnknown(
  reference: string,
  name: string,
  known: readonly string[],
): Pick<VariableFault, 'message' | 'remedy'> {
  const isReference = reference.endsWith('}') && VARIABLE_NAME.test(name);
  const list = known.length === 0 ? 'The recipe declares none' : `Declared are ${known.join(', ')}`;
  return {
    message: isReference ? `${reference} is not declared` : `${reference} is not a reference to a variable`,
    remedy: `${list}. For a literal \${, as a shell wants it, write $\${.`,
  };
}

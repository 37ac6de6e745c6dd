import { posix } from 'node:path';
import type { Located, LocatedEntry, LocatedMap } from './recipe-document.ts';

/** One file of a recipe: its own, or one that it includes. */
export interface RecipeLayer {
  readonly recipe: LocatedMap;
  /** Its folder, relative to that of the recipe itself; `` for the same. */
  readonly folder: string;
}

/** The paths under `include`; what else stands there is left to the reader, as undefined. */
export function includesOf(recipe: LocatedMap): readonly (Located & { readonly path?: string })[] {
  const include = recipe.entries.get('include')?.value;
  if (include === undefined) return [];
  const items = include.kind === 'list' ? include.items : [include];
  return items.map((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? { ...item, path: item.value } : item,
  );
}

/** The recipe without what only says how to read it. */
export function withoutDirectives(recipe: LocatedMap): LocatedMap {
  const entries = [...recipe.entries].filter(([key]) => key !== 'include' && key !== 'variables');
  return { ...recipe, entries: new Map(entries) };
}

/**
 * One recipe of several, each later one over those before it: lists are appended, maps merged,
 * and any other value of a later one wins. A value of another kind replaces what was there, for the
 * schema to judge.
 */
export function mergeLayers(layers: readonly LocatedMap[]): LocatedMap | undefined {
  return layers.reduce<LocatedMap | undefined>(
    (merged, layer) => (merged === undefined ? layer : mergeMaps(merged, layer)),
    undefined,
  );
}

function mergeMaps(below: LocatedMap, above: LocatedMap): LocatedMap {
  const entries = new Map<string, LocatedEntry>(below.entries);
  for (const [key, entry] of above.entries) {
    const other = entries.get(key);
    entries.set(key, other === undefined ? entry : { ...entry, value: merge(other.value, entry.value) });
  }
  return { ...above, entries };
}

function merge(below: Located, above: Located): Located {
  if (below.kind === 'list' && above.kind === 'list')
    return { ...above, items: [...below.items, ...above.items] };
  if (below.kind === 'map' && above.kind === 'map') return mergeMaps(below, above);
  return above;
}

/** Makes the `source` of each file relative to the folder of the recipe itself, in place of the layer's. */
export function rebaseSources(recipe: LocatedMap, folder: string): LocatedMap {
  const files = recipe.entries.get('files');
  if (folder === '' || files?.value.kind !== 'list') return recipe;
  const items = files.value.items.map((file) => {
    const source = file.kind === 'map' ? file.entries.get('source') : undefined;
    if (file.kind !== 'map' || source?.value.kind !== 'scalar') return file;
    const { value } = source.value;
    // An absolute one stays as it is, and so is refused.
    if (typeof value !== 'string' || value === '' || value.startsWith('/')) return file;
    const rebased = { ...source.value, value: posix.join(folder, value) };
    return { ...file, entries: new Map(file.entries).set('source', { ...source, value: rebased }) };
  });
  const entries = new Map(recipe.entries).set('files', { ...files, value: { ...files.value, items } });
  return { ...recipe, entries };
}

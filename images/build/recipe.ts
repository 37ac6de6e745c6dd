import { readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { problem } from './problems.ts';
import { type LocatedMap, plainOf, readDocument } from './recipe-document.ts';
import { type RecipeFault, recipeInvalid, schemaFaults } from './recipe-faults.ts';
import {
  includesOf,
  mergeLayers,
  type RecipeLayer,
  rebaseSources,
  withoutDirectives,
} from './recipe-include.ts';
import { Recipe } from './recipe-schema.ts';
import { expandVariables, variablesOf } from './variables.ts';

export type { Recipe } from './recipe-schema.ts';

/** Values for variables that a recipe declares, in place of its defaults. */
export type VariableValues = Readonly<Record<string, string>>;

/**
 * Reads RECIPE.yaml that includes nothing.
 * @param fileName for messages only.
 * @throws Problem `recipe_not_yaml` or `recipe_invalid`: all that is wrong, one `FILE:LINE` each.
 */
export function parseRecipe(text: string, fileName: string, set: VariableValues = {}): Recipe {
  return composeRecipe([{ recipe: recipeMap(text, fileName), folder: '' }], set);
}

/**
 * Reads a recipe and all it includes. What is included comes first, each file once, so that the recipe
 * adds to it and has the last word.
 * @throws Problem `recipe_unreadable`, `recipe_not_yaml` or `recipe_invalid`.
 */
export async function readRecipe(recipeFile: string, set: VariableValues = {}): Promise<Recipe> {
  return composeRecipe(await readLayers(recipeFile), set);
}

/** @returns the recipe's own file last. */
async function readLayers(recipeFile: string): Promise<RecipeLayer[]> {
  const top = await realpath(dirname(recipeFile)).catch((error) => unreadable(recipeFile, error));
  const layers = new Map<string, RecipeLayer | 'being read'>();

  const read = async (file: string, path: string): Promise<void> => {
    layers.set(path, 'being read');
    const text = await readFile(file, 'utf8').catch((error) => unreadable(file, error));
    const recipe = recipeMap(text, file);
    for (const include of includesOf(recipe)) {
      const refuse = (message: string, remedy: string): never => {
        throw recipeInvalid([{ ...include.place, field: 'include', message, remedy }]);
      };
      if (include.path === undefined || include.path.includes('${'))
        return refuse(
          'include must hold paths, as plain text without variables',
          'Write `include: [parts/base.yaml]`.',
        );
      const named = join(dirname(file), include.path);
      const found = await realpath(named).catch((error: Error) =>
        refuse(`include ${include.path}: ${error.message}`, 'Correct the path.'),
      );
      if (isAbsolute(include.path) || relative(top, found).startsWith('..'))
        refuse(
          `include ${include.path} leads out of the folder of the recipe`,
          'Copy it into the folder of the recipe.',
        );
      const seen = layers.get(found);
      if (seen === 'being read')
        refuse(`include ${include.path} leads back to itself`, 'Remove one include of the circle.');
      if (seen === undefined) await read(named, found);
    }
    // Again, so that it stands after what it includes.
    layers.delete(path);
    layers.set(path, { recipe, folder: relative(top, dirname(path)) });
  };
  await read(recipeFile, await realpath(recipeFile).catch((error) => unreadable(recipeFile, error)));
  return [...layers.values()].filter((layer) => layer !== 'being read');
}

/** @param layers each over those before it; the last one is the recipe itself. */
function composeRecipe(layers: readonly RecipeLayer[], set: VariableValues): Recipe {
  const merged = mergeLayers(layers.map(({ recipe }) => recipe));
  if (merged === undefined) throw new Error('a recipe has at least its own file');
  const variables = variablesOf(merged.entries.get('variables')?.value, set, merged.place);
  const expanded = layers.map(({ recipe, folder }) => {
    const layer = expandVariables(withoutDirectives(recipe), variables.values);
    return { recipe: rebaseSources(layer.recipe, folder), faults: layer.faults };
  });
  const recipe = mergeLayers(expanded.map((layer) => layer.recipe)) ?? merged;
  const faults: RecipeFault[] = [...variables.faults, ...expanded.flatMap((layer) => layer.faults)];
  const parsed = Recipe.safeParse(plainOf(recipe));
  // A text whose variables are unknown breaks rules that it would keep with them.
  if (faults.length > 0) throw recipeInvalid(faults);
  if (!parsed.success) throw recipeInvalid(schemaFaults(parsed.error.issues, recipe));
  return parsed.data;
}

function recipeMap(text: string, file: string): LocatedMap {
  const recipe = readDocument(text, file);
  if (recipe.kind === 'map') return recipe;
  throw recipeInvalid([
    {
      ...recipe.place,
      message: 'a recipe is a map of keys and values',
      remedy: 'Begin with lines such as `name: minimal`.',
    },
  ]);
}

function unreadable(file: string, error: Error): never {
  throw problem('recipe_unreadable', { facts: { file, reason: error.message }, cause: error });
}

import type { Problem } from '@bootswarm/images/format';
import type { z } from 'zod';
import { problem } from './problems.ts';
import { hasAt, type Located, type Place, placeAt } from './recipe-document.ts';
import { knownKeys } from './recipe-schema.ts';

/** One thing wrong in a recipe, where it is written. */
export interface RecipeFault extends Place {
  /** Such as `files[0].mode`; counted over all included recipes. */
  readonly field?: string;
  readonly message: string;
  readonly remedy?: string;
}

/** All that is wrong, one `FILE:LINE` each, in the order of the files. */
export function recipeInvalid(faults: readonly RecipeFault[]): Problem {
  const files = [...new Set(faults.map(({ file }) => file))];
  const sorted = faults.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
  const remedies = new Set(sorted.map(({ remedy }) => remedy).filter((remedy) => remedy !== undefined));
  return problem('recipe_invalid', {
    field: sorted[0]?.field ?? 'the recipe',
    facts: {
      list: sorted.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'),
      remedy: [...remedies].join(' ') || `Correct ${sorted.length === 1 ? 'this line' : 'these lines'}.`,
    },
  });
}

/** What the schema says against a recipe, in operators' words. */
export function schemaFaults(issues: readonly z.core.$ZodIssue[], recipe: Located): RecipeFault[] {
  return issues.flatMap((issue) => faultsOf(issue, recipe));
}

function faultsOf(issue: z.core.$ZodIssue, recipe: Located): RecipeFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      faultAt([...issue.path, key], recipe, 'is not a known key', remedyForKey(key, knownKeys(issue.path))),
    );
  }
  const message = hasAt(recipe, issue.path)
    ? issue.message.replace(/^Invalid (input|option): /, '')
    : 'is missing';
  return [faultAt(issue.path, recipe, message)];
}

function faultAt(
  path: readonly PropertyKey[],
  recipe: Located,
  message: string,
  remedy?: string,
): RecipeFault {
  const field = fieldName(path);
  return {
    ...placeAt(recipe, path),
    field,
    message: `${field} ${message}`,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function remedyForKey(key: string, known: readonly string[]): string {
  if (key === 'password' && known.includes('passwordHash')) {
    return 'A recipe holds no plain password: give `passwordHash`, a crypt hash or "*".';
  }
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near !== undefined && near.distance <= 2)
    return `Did you mean \`${near.candidate}\` instead of \`${key}\`?`;
  return `Instead of \`${key}\`, use one of: ${known.join(', ')}.`;
}

/** `files[0].mode`, as operators write a field. */
function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name.replace(/^\./, '') || 'the recipe';
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}

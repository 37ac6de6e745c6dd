import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { fieldText, lineOf } from './apply.ts';
import { problem } from './problems.ts';

/**
 * Reads a profile, as YAML or JSON.
 * @throws Problem file_not_yaml, profile_invalid: all that is wrong, each with its field.
 */
export async function readProfileFile<Result>(file: string, schema: z.ZodType<Result>): Promise<Result> {
  const lines = new LineCounter();
  const document = parseDocument(await readFile(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake) {
    const { line, col } = lines.linePos(mistake.pos[0]);
    throw problem('file_not_yaml', { facts: { file, line, column: col, reason: mistake.message } });
  }
  const parsed = schema.safeParse(await withAnswers(document.toJS(), file));
  if (parsed.success) return parsed.data;
  const list = parsed.error.issues.map(
    ({ path, message }) => `line ${lineOf(document, lines, path)}: ${fieldText(path)} ${message}`,
  );
  throw problem('profile_invalid', { facts: { file, list: list.join('\n  ') } });
}

/** The profile with its answers, which may lie in a file beside it. */
async function withAnswers(value: unknown, file: string): Promise<unknown> {
  if (typeof value !== 'object' || value === null || !('answersFile' in value)) return value;
  const { answersFile, ...rest } = value;
  if (typeof answersFile !== 'string' || 'answers' in rest) return value;
  return { ...rest, answers: await readFile(resolve(dirname(file), answersFile), 'utf8') };
}

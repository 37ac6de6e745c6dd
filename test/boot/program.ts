import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));

/** The command line that runs a program of this checkout with the Node at hand. */
export function program(file: string, ...args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, top + file, ...args];
}

/** A path below the checkout. */
export function pathOf(file: string): string {
  return top + file;
}

import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { problem } from './problems.ts';
import type { Recipe } from './recipe.ts';

/** File of a build folder that says the version of every package in its root. */
export const LOCK_NAME = 'packages.lock';

/** Version of each package, by name. */
type Lock = ReadonlyMap<string, string>;

/** Text of packages.lock: what it is for, and then NAME=VERSION line by line, by name. */
export function lockText(
  recipe: Pick<Recipe, 'suite' | 'architecture'>,
  versions: readonly string[],
): string {
  return [headOf(recipe), ...versions.toSorted()].map((line) => `${line}\n`).join('');
}

/**
 * @throws Problem `lock_invalid` for a line that is no NAME=VERSION, and where the lock is for another
 * suite or architecture.
 */
export function parseLock(text: string, file: string, recipe: Pick<Recipe, 'suite' | 'architecture'>): Lock {
  const [head, ...lines] = text.split('\n');
  if (head !== headOf(recipe)) {
    const reason = `its first line is not "${headOf(recipe)}", so it is for another suite or architecture`;
    throw problem('lock_invalid', { field: 'locked', facts: { file, reason } });
  }
  const lock = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    // deb-version(7); the name as in the control file.
    const match = /^([a-z0-9][a-z0-9+.-]*)=([0-9][A-Za-z0-9.+:~-]*)$/.exec(line);
    if (match === null) {
      const reason = `line ${index + 2} is not NAME=VERSION`;
      throw problem('lock_invalid', { field: 'locked', facts: { file, reason } });
    }
    const [, name = '', version = ''] = match;
    lock.set(name, version);
  }
  return lock;
}

/** apt_preferences(5) that take these versions, older ones than installed too. */
export function pinsOf(lock: Lock): string {
  return [...lock]
    .map(([name, version]) => `Package: ${name}\nPin: version ${version}\nPin-Priority: 1001\n`)
    .join('\n');
}

/** @throws Problem `lock_unmet`, with every package that came in another version, and every one too many. */
export function refuseOtherVersions(lock: Lock, versions: readonly string[]): void {
  const found = new Map(versions.map((line) => line.split('=', 2) as [string, string]));
  const faults = [
    ...[...lock]
      .filter(([name, version]) => found.get(name) !== version)
      .map(([name, version]) => `${name}=${version} (there is ${found.get(name) ?? 'none'})`),
    ...[...found.keys()].filter((name) => !lock.has(name)).map((name) => `${name} (not in the lock)`),
  ];
  if (faults.length > 0) throw problem('lock_unmet', { field: 'locked', facts: { list: faults.join('\n') } });
}

/** @param path of a lock, or of a build folder that holds one. */
export async function readLock(path: string): Promise<{ readonly file: string; readonly text: string }> {
  try {
    const file = (await stat(path)).isDirectory() ? join(path, LOCK_NAME) : path;
    return { file, text: await readFile(file, 'utf8') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw problem('lock_invalid', { field: 'locked', facts: { file: path, reason }, cause: error });
  }
}

/** NAME=VERSION of each package that is installed in `root`. */
export async function installedVersions(root: string): Promise<string[]> {
  const format = '${db:Status-Status} ${Package}=${Version}\n';
  const admin = join(root, 'var/lib/dpkg');
  const { stdout } = await promisify(execFile)(
    'dpkg-query',
    [`--admindir=${admin}`, '--show', `--showformat=${format}`],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout.split('\n').flatMap((line) => /^installed (.*)$/.exec(line)?.[1] ?? []);
}

function headOf({ suite, architecture }: Pick<Recipe, 'suite' | 'architecture'>): string {
  return `# Packages of ${suite} for ${architecture}`;
}

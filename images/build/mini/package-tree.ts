import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join, matchesGlob, posix, relative } from 'node:path';
import type { CpioEntry } from './cpio.ts';
import { isElf, needsOf } from './elf.ts';

/** The dynamic linker is there already, by the path that programs name. */
const LINKER = /^ld-linux/;
const MERGED = /^\/?(bin|sbin|lib|lib64)(?=\/|$)/;

/** In the image /bin, /sbin, /lib and /lib64 are those of /usr; packages of Debian 12 still have both. */
export const MERGED_LINKS: readonly CpioEntry[] = ['bin', 'sbin', 'lib', 'lib64'].map((path) => ({
  kind: 'link',
  path,
  target: `usr/${path}`,
}));

/** `/lib64/ld-linux-x86-64.so.2` to `usr/lib64/ld-linux-x86-64.so.2`. */
export function mergedPath(path: string): string {
  return path.replace(MERGED, 'usr/$1').replace(/^\//, '');
}

/** Packages unpacked side by side, from which files are taken with the libraries that they need. */
export class PackageTree {
  readonly #root: string;
  readonly #libraryFolders: readonly string[];

  /** @param triplet of the architecture, such as `x86_64-linux-gnu`. */
  constructor(root: string, triplet: string) {
    this.#root = root;
    const folders = [`usr/lib/${triplet}`, 'usr/lib64', 'usr/lib'];
    this.#libraryFolders = [...folders, `usr/lib/${triplet}/systemd`];
  }

  /**
   * Entries for what a path names, which may be a pattern; a link also brings what it leads to.
   * @param path as in `Provision`.
   * @throws ReferenceError where nothing has that name.
   */
  async take(path: string): Promise<readonly CpioEntry[]> {
    const wanted = path.startsWith('/') ? path.slice(1) : `usr/${path}`;
    const names = wanted.includes('*') ? await this.#matching(wanted) : [wanted];
    if (names.length === 0) throw new ReferenceError(`no package has ${path}`);
    return (await Promise.all(names.map((name) => this.#takeOne(name)))).flat();
  }

  /**
   * The libraries that programs need, and those that these need themselves.
   * @param names of libraries that are needed besides.
   * @throws ReferenceError where a library is in no package.
   */
  async libraries(programs: readonly CpioEntry[], names: readonly string[]): Promise<readonly CpioEntry[]> {
    const taken = new Map<string, CpioEntry>();
    for (const name of names) taken.set(name, await this.#library(name, 'Node'));
    const queue = [...programs, ...taken.values()];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (next.kind !== 'file' || !isElf(next.bytes)) continue;
      const { interpreter, libraries } = needsOf(next.bytes);
      // Programs name it by its path, libraries by its name.
      const linker = interpreter === undefined ? undefined : mergedPath(interpreter);
      if (linker !== undefined && !taken.has(linker))
        taken.set(linker, await this.#library(linker, next.path));
      for (const name of libraries) {
        if (taken.has(name) || LINKER.test(name)) continue;
        const library = await this.#library(name, next.path);
        taken.set(name, library);
        queue.push(library);
      }
    }
    return [...taken.values()];
  }

  /** Where a merged path lies on this host. @throws ReferenceError */
  async find(path: string): Promise<string> {
    for (const candidate of [path, path.replace(/^usr\/(?=bin|sbin|lib)/, '')]) {
      const at = join(this.#root, candidate);
      if (await exists(at)) return at;
    }
    throw new ReferenceError(`no package has /${path}`);
  }

  async #matching(pattern: string): Promise<string[]> {
    const folder = dirname(pattern);
    const found = await readdir(await this.find(folder));
    return found.filter((name) => matchesGlob(name, basename(pattern))).map((name) => `${folder}/${name}`);
  }

  async #takeOne(path: string): Promise<readonly CpioEntry[]> {
    const at = await this.find(path);
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) {
      const { mode } = await stat(at);
      return [{ kind: 'file', path, executable: (mode & 0o111) !== 0, bytes: await readFile(at) }];
    }
    const leadsTo = mergedPath(posix.join(target.startsWith('/') ? '' : dirname(path), target));
    return [
      { kind: 'link', path, target: relative(dirname(path), leadsTo) },
      ...(await this.#takeOne(leadsTo)),
    ];
  }

  /** Under the name, or path, by which it is needed, whatever its file is called. */
  async #library(name: string, neededBy: string): Promise<CpioEntry> {
    const paths = name.includes('/') ? [name] : this.#libraryFolders.map((folder) => `${folder}/${name}`);
    for (const path of paths) {
      const entries = await this.#takeOne(path).catch(() => []);
      const file = entries.find(({ kind }) => kind === 'file');
      if (file?.kind === 'file') return { ...file, path, executable: true };
    }
    throw new ReferenceError(`no package has the library ${name}, which ${neededBy} needs`);
  }
}

async function exists(path: string): Promise<boolean> {
  // A link to an absolute path leads out of the tree: whether there is one is what counts.
  return readlink(path).then(
    () => true,
    () =>
      stat(path).then(
        () => true,
        () => false,
      ),
  );
}

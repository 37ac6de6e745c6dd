import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { CacheKind } from './cache-keys.ts';

const run = promisify(execFile);

/** entry.json, which is written once all else of an entry is there. */
const EntryFacts = z.object({ label: z.string(), bytes: z.number() });

/** A base of 300 MB and its packed half for each of some thirty recipes. */
const CACHE_BYTES = 10 * 1024 ** 3;

/** Where builds keep what later ones can take: $XDG_CACHE_HOME/bootswarm, else ~/.cache/bootswarm. */
export function defaultCacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bootswarm');
}

export interface CacheEntry {
  /** File name in the cache. */
  readonly name: string;
  readonly kind: CacheKind | 'packages';
  /** What it was made for, in words. */
  readonly label: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly usedAt: string;
}

/** An entry while someone reads it: it stays until this is disposed. */
export interface CacheUse extends AsyncDisposable {
  /** A file or a folder; it may be read and copied, never written or linked. */
  readonly data: string;
}

/**
 * Results of builds by the hash of all that went into them. An entry appears complete and on disk, or not at
 * all: it is filled under another name and renamed. What a killed build left is swept by the next one.
 */
export class BuildCache {
  readonly #folder: string;
  readonly #mostBytes: number;

  /** @param mostBytes above which entries go, those first that were not used for the longest. */
  constructor(folder: string, mostBytes = CACHE_BYTES) {
    this.#folder = folder;
    this.#mostBytes = mostBytes;
  }

  /** @returns undefined where there is no such entry. */
  async use(kind: CacheKind, key: string): Promise<CacheUse | undefined> {
    const entry = join(this.#folder, entryName(kind, key));
    const mark = join(entry, `in-use-${process.pid}-${randomUUID()}`);
    try {
      await writeFile(mark, '');
      const now = new Date();
      await utimes(join(entry, 'entry.json'), now, now);
    } catch {
      await rm(mark, { force: true });
      return undefined;
    }
    return { data: join(entry, 'data'), [Symbol.asyncDispose]: () => rm(mark, { force: true }) };
  }

  /**
   * Adds an entry, unless one of that key is there meanwhile.
   * @param fill makes a file or a folder at the path that it is given.
   * @returns false where the cache cannot be written (full, say): a build goes on without it.
   */
  async store(
    kind: CacheKind,
    key: string,
    label: string,
    fill: (data: string) => Promise<unknown>,
  ): Promise<boolean> {
    const making = join(this.#folder, `.making-${process.pid}-${randomUUID()}`);
    try {
      await mkdir(making, { recursive: true, mode: 0o700 });
      await fill(join(making, 'data'));
      const bytes = await bytesOf(making);
      await writeFile(join(making, 'entry.json'), JSON.stringify({ label, bytes }));
      await run('sync', ['--file-system', making]);
      await rename(making, join(this.#folder, entryName(kind, key)));
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST', 'ENOTEMPTY')) return true;
      // `disk_full` is what a step of the build makes of ENOSPC.
      if (isErrno(error, 'ENOSPC', 'disk_full', 'EDQUOT', 'EACCES', 'EROFS', 'EPERM')) return false;
      throw error;
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  /** Folder of downloaded packages of one suite and architecture, which mmdebstrap's hooks fill (plan.ts). */
  async packageFolder(suite: string, architecture: string): Promise<string | undefined> {
    const folder = join(this.#folder, `packages-${suite}-${architecture}`);
    const made = await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => false as const);
    return made === false ? undefined : folder;
  }

  async list(): Promise<CacheEntry[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const entries = await Promise.all(names.map((name) => this.#entry(name)));
    return entries.filter((entry) => entry !== undefined).sort((a, b) => b.usedAt.localeCompare(a.usedAt));
  }

  /** Removes what killed builds left, and then the entries unused for the longest until the rest fits. */
  async trim(mostBytes = this.#mostBytes): Promise<void> {
    await this.#sweep();
    let bytes = 0;
    for (const { name, bytes: own } of await this.list()) {
      bytes += own;
      if (bytes > mostBytes && (await this.#remove(name))) bytes -= own;
    }
  }

  /** Removes everything that no build uses at the moment. */
  async clean(): Promise<void> {
    await this.trim(-1);
  }

  async #entry(name: string): Promise<CacheEntry | undefined> {
    const kind = /^(base|usr|initramfs|mini|packages)-/.exec(name)?.[1] as CacheEntry['kind'] | undefined;
    if (kind === undefined) return undefined;
    try {
      const path = join(this.#folder, name);
      if (kind === 'packages') {
        const usedAt = (await stat(path)).mtime.toISOString();
        return { name, kind, label: name.replace('packages-', ''), usedAt, bytes: await bytesOf(path) };
      }
      const file = join(path, 'entry.json');
      const usedAt = (await stat(file)).mtime.toISOString();
      return { name, kind, usedAt, ...EntryFacts.parse(JSON.parse(await readFile(file, 'utf8'))) };
    } catch {
      // Removed meanwhile, by another build.
      return undefined;
    }
  }

  /** @returns false where it is in use. */
  async #remove(name: string): Promise<boolean> {
    const path = join(this.#folder, name);
    for (const file of await readdir(path).catch(() => [])) {
      const pid = /^in-use-(\d+)-/.exec(file)?.[1];
      if (pid !== undefined && (await isRunning(pid))) return false;
    }
    // Renamed first: a removal that is cut short leaves no half entry under its name.
    const going = join(this.#folder, `.making-${process.pid}-${randomUUID()}`);
    await rename(path, going).catch(() => undefined);
    await rm(going, { recursive: true, force: true });
    return true;
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const pid = /^\.making-(\d+)-/.exec(name)?.[1];
      if (pid !== undefined && !(await isRunning(pid)))
        await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }
}

function entryName(kind: CacheKind, key: string): string {
  return `${kind}-${key}`;
}

async function bytesOf(path: string): Promise<number> {
  const { stdout } = await run('du', ['--summarize', '--block-size=1', '--', path]);
  return Number(stdout.split('\t', 1)[0]);
}

async function isRunning(pid: string): Promise<boolean> {
  return access(`/proc/${pid}`).then(
    () => true,
    () => false,
  );
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

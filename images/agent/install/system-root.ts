import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, rm, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { problem } from './problems.ts';
import type { Change, SystemView } from './system/view.ts';

/** As many as the kernel follows: path_resolution(7). */
const LINKS_MOST = 40;

/**
 * The new system where it is mounted. Its links are followed as they will be when it runs: an absolute one begins at its
 * own root, and none leads out of it.
 */
export class SystemRoot implements SystemView {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  has(path: string): boolean {
    try {
      lstatSync(this.at(path));
      return true;
    } catch {
      return false;
    }
  }

  read(path: string): string | undefined {
    try {
      return readFileSync(this.at(path), 'utf8');
    } catch {
      return undefined;
    }
  }

  list(path: string): readonly string[] {
    try {
      return readdirSync(this.at(path)).toSorted();
    } catch {
      return [];
    }
  }

  /** Where a path of the system is here, with all links followed. @throws Problem path_escapes */
  at(path: string): string {
    return this.#resolve(path, true);
  }

  /** @throws whatever the file system does. */
  async apply(changes: readonly Change[]): Promise<void> {
    for (const change of changes) await this.#applyOne(change);
  }

  async #applyOne(change: Change): Promise<void> {
    // The place itself, and not what a link there leads to: what the image has there goes.
    const place = this.#resolve(change.path, false);
    const before = await lstat(place).catch(() => undefined);
    await rm(place, { recursive: true, force: true });
    if (change.kind === 'remove') return;
    const isClosed = change.kind === 'file' && change.mode !== undefined && (change.mode & 0o077) === 0;
    await mkdir(dirname(place), { recursive: true, mode: isClosed ? 0o700 : 0o755 });
    if (change.kind === 'link') return symlink(change.target, place);
    const kept = change.mode === undefined && before?.isFile() ? before : undefined;
    const mode = change.mode ?? (kept ? kept.mode & 0o7777 : 0o644);
    const file = await open(place, 'wx', 0o600);
    try {
      await file.writeFile(change.content);
    } finally {
      await file.close();
    }
    if (kept) await chown(place, kept.uid, kept.gid);
    await chmod(place, mode);
  }

  #resolve(path: string, followLast: boolean): string {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let found = '/';
    for (let links = 0; rest.length > 0; ) {
      const [part = '', ...after] = rest;
      rest = after;
      const next = posix.join(found, part);
      const target = part === '..' || (rest.length === 0 && !followLast) ? undefined : this.#linkAt(next);
      if (target === undefined) {
        // Above the root there is the root: `join` holds it.
        found = next;
        continue;
      }
      links += 1;
      if (links > LINKS_MOST) throw problem('path_escapes', { facts: { path } });
      if (target.startsWith('/')) found = '/';
      rest = [...target.split('/').filter((each) => each !== '' && each !== '.'), ...rest];
    }
    return join(this.folder, found);
  }

  #linkAt(path: string): string | undefined {
    try {
      return readlinkSync(join(this.folder, path));
    } catch {
      return undefined;
    }
  }
}

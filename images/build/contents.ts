import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  type Contents,
  type ContentsFile,
  MOST_CONTENTS_FILES,
  writeContents,
} from '@bootswarm/images/format';
import { PackageDatabase } from './contents-packages.ts';
import { type ListedFile, listingEnd, parseListing } from './contents-pseudo.ts';
import { problem } from './problems.ts';

/** A million files with paths of 200 bytes. */
const MOST_LISTING_BYTES = 256 * 1024 * 1024;
/** Of all files together: sparse ones are read as zeros. Beyond it nobody boots from memory. */
const MOST_FILE_BYTES = 256 * 1024 ** 3;

/**
 * Writes the artefact `contents` of a root that is a squashfs: its packages, and its files with their SHA-256. Reads the
 * squashfs once, from beginning to end, as the user who asked, and unpacks nothing to a disk.
 * @throws Problem `tool_missing`, `root_contents_unreadable`; the reason of `signal`.
 */
export async function writeRootContents(squashfs: string, to: string, signal?: AbortSignal): Promise<void> {
  await writeContents(await readRootContents(squashfs, signal), createWriteStream(to, { flags: 'wx' }));
}

/** About 300 bytes of memory for each file. */
export async function readRootContents(squashfs: string, signal?: AbortSignal): Promise<Contents> {
  // A pseudo file of mksquashfs(1): the inodes, and then the bytes of all regular files in the same order. unsquashfs
  // opens it by name, which the socket that Node gives a child as its output does not allow: hence the pipe.
  const script = 'unsquashfs -no-progress -quiet -pf /dev/stdout "$1" | cat';
  const child = spawn('bash', ['-o', 'pipefail', '-c', script, 'bash', squashfs], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
    // A process group of its own, to be ended as a whole.
    detached: true,
  });
  const end = (): void => endGroup(child.pid);
  signal?.addEventListener('abort', end, { once: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => {});
  const failed = (reason: string, cause?: unknown): Error =>
    problem('root_contents_unreadable', { field: 'root', facts: { reason }, cause });
  try {
    const contents = await contentsOf(child.stdout);
    const code = await ended;
    if (code !== 0) throw new Error(said.trim().split('\n').at(-1) || `unsquashfs ended with ${code}`);
    return contents;
  } catch (error) {
    signal?.throwIfAborted();
    if (/unsquashfs: command not found/.test(said))
      throw problem('tool_missing', { facts: { tool: 'unsquashfs', package: 'squashfs-tools' } });
    // It ended before its time where it failed: what it said then is the reason.
    throw failed(said.trim().split('\n').at(-1) || (error as Error).message, error);
  } finally {
    signal?.removeEventListener('abort', end);
    end();
    await ended.catch(() => {});
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

async function contentsOf(source: Readable): Promise<Contents> {
  const bytes = new ByteSource(source);
  const listed = parseListing(await bytes.until(listingEnd, MOST_LISTING_BYTES), MOST_CONTENTS_FILES);
  const total = listed.reduce((sum, each) => sum + (each.type === 'file' ? each.bytes : 0), 0);
  if (total > MOST_FILE_BYTES) throw new Error(`its files have ${total} bytes`);
  const database = new PackageDatabase();
  const files = new Map<string, ContentsFile>();
  for (const each of listed) {
    if (each.type === 'hard link') {
      const target = files.get(each.target);
      if (target !== undefined) files.set(each.path, { ...target, path: each.path });
    } else if (each.type === 'file') {
      const { sha256, content } = await readFile(bytes, each, database.wants(each.path, each.bytes));
      files.set(each.path, { ...each, sha256 });
      if (content !== undefined) database.take(each.path, content);
    } else files.set(each.path, each);
  }
  const owners = database.owners(aliasesOf(files));
  const withOwner = function* (): Generator<ContentsFile> {
    for (const path of [...files.keys()].sort()) {
      const file = files.get(path);
      const owner = file?.type === 'folder' ? undefined : owners.get(path);
      if (file !== undefined) yield owner === undefined ? file : { ...file, package: owner };
    }
  };
  return { packages: database.packages(), files: { [Symbol.iterator]: withOwner } };
}

async function readFile(
  source: ByteSource,
  { bytes }: ListedFile & { type: 'file' },
  keep: boolean,
): Promise<{ sha256: string; content: string | undefined }> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  for (let left = bytes; left > 0; ) {
    const part = await source.next(left);
    hash.update(part);
    if (keep) kept.push(part);
    left -= part.length;
  }
  return { sha256: hash.digest('hex'), content: keep ? Buffer.concat(kept).toString('utf8') : undefined };
}

/** Links at the top that lead to a folder of the root, such as `bin` to `usr/bin`. */
function aliasesOf(files: ReadonlyMap<string, ContentsFile>): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const file of files.values()) {
    if (file.type !== 'link' || file.path.includes('/')) continue;
    const target = file.target.replace(/^\//, '');
    if (files.get(target)?.type === 'folder') aliases.set(file.path, target);
  }
  return aliases;
}

/** A stream that is read in parts as long as one says. */
class ByteSource {
  readonly #parts: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: Readable) {
    this.#parts = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `most`. @throws where the stream has ended. */
  async next(most: number): Promise<Buffer> {
    if (this.#held.length === 0) this.#held = await this.#read();
    const part = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(part.length);
    return part;
  }

  /** What comes before the end of `mark`, and it. @throws where that is not within `most` bytes. */
  async until(mark: Buffer, most: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const part = await this.#read();
      // The mark may lie across two parts.
      const before = parts.at(-1)?.subarray(1 - mark.length) ?? Buffer.alloc(0);
      const at = Buffer.concat([before, part]).indexOf(mark);
      if (at >= 0) {
        const end = at - before.length + mark.length;
        this.#held = part.subarray(end);
        return Buffer.concat([...parts, part.subarray(0, end)]);
      }
      parts.push(
        before.length + part.length < mark.length ? Buffer.concat([parts.pop() ?? before, part]) : part,
      );
      length += part.length;
      if (length > most) throw new Error(`its listing is longer than ${most} bytes`);
    }
  }

  async #read(): Promise<Buffer> {
    const { value, done } = await this.#parts.next();
    if (done) throw new Error('it ended before its time');
    return value;
  }
}

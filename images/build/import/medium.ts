import { constants, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TreePath } from '@bootswarm/images/format';
import { problem } from './problems.ts';

/** More than any distribution's medium has (a Debian DVD: 6000), and what a hostile one may cost us. */
export const MOST_FILES = 1_000_000;
const MOST_HOPS = 40;
const READ_BYTES = 1024 * 1024;

/** Bytes `offset` to `offset + length` of a file of this host: so a file of a medium is read, whatever holds it. */
export interface ByteRange {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** What a medium holds. It is listed, never unpacked: no name on it ever becomes a path of this host. */
export interface Medium {
  readonly kind: 'iso' | 'folder' | 'tar';
  /** As the operator named it, for messages. */
  readonly source: string;
  /** By path from the top, such as `live/vmlinuz`. */
  readonly files: ReadonlyMap<string, ByteRange>;
  /** Symbolic links that stay on the medium, with their target counted from the top. */
  readonly links: ReadonlyMap<string, string>;
  /** Symbolic links that lead out. */
  readonly outside: ReadonlySet<string>;
  /** The ISO or tar that holds all of it. */
  readonly whole: ByteRange | undefined;
}

interface Listing {
  readonly files: Iterable<readonly [path: string, range: ByteRange]>;
  /** With their target as it is written in the link. */
  readonly links: Iterable<readonly [path: string, target: string]>;
}

/**
 * Leaves out what no path can name (control characters), and tells links that stay from those that lead out.
 * @throws Problem `medium_too_large`.
 */
export function makeMedium(facts: Pick<Medium, 'kind' | 'source' | 'whole'>, listing: Listing): Medium {
  const files = new Map<string, ByteRange>();
  const links = new Map<string, string>();
  const outside = new Set<string>();
  const count = (): void => {
    if (files.size + links.size + outside.size > MOST_FILES)
      throw problem('medium_too_large', { facts: { source: facts.source, most: MOST_FILES } });
  };
  for (const [path, range] of listing.files) {
    if (TreePath.safeParse(path).success) files.set(path, range);
    count();
  }
  for (const [path, written] of listing.links) {
    if (!TreePath.safeParse(path).success || files.has(path)) continue;
    const target = targetOf(path, written);
    if (target === undefined) outside.add(path);
    else links.set(path, target);
    count();
  }
  return { ...facts, files, links, outside };
}

/** The target of a link counted from the top; undefined where it leads out, or to the top itself. */
function targetOf(path: string, written: string): string | undefined {
  if (written.startsWith('/')) return undefined;
  const target = posix.normalize(posix.join(posix.dirname(path), written)).replace(/\/$/, '');
  return TreePath.safeParse(target).success ? target : undefined;
}

/**
 * The file at a path, by way of links to files and folders.
 * @throws Problem `import_link_outside` where a link on the way leads out.
 */
export function fileAt(medium: Medium, path: string): ByteRange | undefined {
  let at = path;
  for (let hops = 0; hops < MOST_HOPS; hops += 1) {
    const found = medium.files.get(at);
    if (found !== undefined) return found;
    const prefix = prefixesOf(at).find((each) => medium.links.has(each) || medium.outside.has(each));
    if (prefix === undefined) return undefined;
    const target = medium.links.get(prefix);
    if (target === undefined)
      throw problem('import_link_outside', { facts: { path: prefix, source: medium.source } });
    at = target + at.slice(prefix.length);
  }
  return undefined;
}

function prefixesOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Every path that may name a file: links count, wherever they lead. */
export function pathsOf(medium: Medium): string[] {
  return [...medium.files.keys(), ...medium.links.keys(), ...medium.outside].sort();
}

/** Up to `most` bytes of a range, from its byte `from`. */
export async function readRange(range: ByteRange, most: number, from = 0): Promise<Buffer> {
  await using handle = await open(range.file, constants.O_RDONLY | constants.O_NOFOLLOW);
  const length = Math.max(0, Math.min(most, range.length - from));
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, range.offset + from);
  return buffer.subarray(0, bytesRead);
}

interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of each part. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Streams a range to a new file. @throws where fewer bytes came than the range has. */
export async function copyRange(range: ByteRange, to: string, options: CopyOptions = {}): Promise<void> {
  await pipeline(
    rangeBytes(range, options),
    createWriteStream(to, { flags: 'wx', highWaterMark: READ_BYTES }),
    options.signal ? { signal: options.signal } : {},
  );
}

/** The bytes of a range, in parts of 1 MiB. @throws where fewer came than the range has. */
export async function* rangeBytes(range: ByteRange, options: CopyOptions = {}): AsyncGenerator<Buffer> {
  if (range.length === 0) return;
  let read = 0;
  // Checked to be a file when it was listed: it must not have become a link since.
  const handle = await open(range.file, constants.O_RDONLY | constants.O_NOFOLLOW);
  const stream = handle.createReadStream({
    start: range.offset,
    end: range.offset + range.length - 1,
    highWaterMark: READ_BYTES,
  });
  for await (const part of stream as AsyncIterable<Buffer>) {
    options.signal?.throwIfAborted();
    read += part.length;
    options.onBytes?.(part.length);
    yield part;
  }
  if (read !== range.length)
    throw problem('import_unreadable', {
      facts: { source: range.file, reason: `it ended after ${read} of ${range.length} bytes` },
    });
}

import { createReadStream, createWriteStream } from 'node:fs';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type ByteRange, type Medium, MOST_FILES, makeMedium, readRange } from './medium.ts';
import { problem } from './problems.ts';
import { readPaxRecords, readTarHeader, TAR_BLOCK_BYTES, tarPadding } from './tar-format.ts';

/** Debian's netboot.tar.gz unpacks to 80 MB; with the graphical installer to 200. */
const MOST_UNPACKED_BYTES = 4 * 1024 ** 3;
const MOST_EXTENDED_BYTES = 64 * 1024;

/**
 * Lists a tar, such as the one inside Debian's netboot.tar.gz. It must be uncompressed: files are read from where they
 * lie in it.
 * @throws Problem `archive_invalid`, `medium_too_large`.
 */
export async function openTar(
  file: string,
  length: number,
  source: string,
  signal?: AbortSignal,
): Promise<Medium> {
  const whole: ByteRange = { file, offset: 0, length };
  const files = new Map<string, ByteRange>();
  const links = new Map<string, string>();
  const invalid = (reason: string): Error => problem('archive_invalid', { facts: { source, reason } });
  let extended: Readonly<Record<string, string>> = {};
  for (let at = 0; at < length; ) {
    signal?.throwIfAborted();
    const header = readTarHeader(await readRange(whole, TAR_BLOCK_BYTES, at));
    if (header === undefined) break;
    if (typeof header === 'string') throw invalid(header);
    const bytes = extended['size'] === undefined ? header.length : Number(extended['size']);
    const offset = at + TAR_BLOCK_BYTES;
    if (!(offset + bytes <= length))
      throw invalid(
        `it is truncated: ${extended['path'] ?? header.path} ends at byte ${offset + bytes}, and the file has ${length}`,
      );
    at = offset + bytes + tarPadding(bytes).length;
    if (['x', 'L', 'K'].includes(header.typeFlag)) {
      if (bytes > MOST_EXTENDED_BYTES) throw invalid('it has an absurdly long name');
      const content = await readRange(whole, bytes, offset);
      const name = content.toString('utf8').replace(/\0.*$/s, '');
      const more = {
        x: () => readPaxRecords(content),
        L: () => ({ path: name }),
        K: () => ({ linkpath: name }),
      };
      extended = { ...extended, ...more[header.typeFlag as keyof typeof more]() };
      continue;
    }
    if (files.size + links.size > MOST_FILES)
      throw problem('medium_too_large', { facts: { source, most: MOST_FILES } });
    const path = plainPath(extended['path'] ?? header.path);
    const target = extended['linkpath'] ?? header.target;
    extended = {};
    if (header.typeFlag === '0') files.set(path, { file, offset, length: bytes });
    else if (header.typeFlag === '2') links.set(path, target);
    // A hard link names an earlier file from the top of the archive.
    else if (header.typeFlag === '1') {
      const linked = files.get(plainPath(target));
      if (linked !== undefined) files.set(path, linked);
    }
  }
  return makeMedium({ kind: 'tar', source, whole }, { files, links });
}

/** `./a//b` is `a/b`. What leads up stays so, and is left out by the medium. */
function plainPath(path: string): string {
  return posix.normalize(path).replace(/^\.\//, '').replace(/\/$/, '');
}

/** Unpacks gzip to a new file, and gives its length. @throws Problem `archive_invalid`. */
export async function gunzipTo(
  file: string,
  to: string,
  source: string,
  signal?: AbortSignal,
): Promise<number> {
  let length = 0;
  const counted = async function* (parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const part of parts) {
      length += part.length;
      if (length > MOST_UNPACKED_BYTES)
        throw problem('archive_invalid', {
          facts: { source, reason: `it unpacks to more than ${MOST_UNPACKED_BYTES} bytes` },
        });
      yield part;
    }
  };
  try {
    await pipeline(createReadStream(file), createGunzip(), counted, createWriteStream(to, { flags: 'wx' }), {
      signal,
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^Z_/.test(String(error.code)))
      throw problem('archive_invalid', { facts: { source, reason: error.message }, cause: error });
    throw error;
  }
  return length;
}

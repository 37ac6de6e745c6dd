import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@bootswarm/images/format';
import { openFolder } from './folder-medium.ts';
import { openIso } from './iso-medium.ts';
import type { Medium } from './medium.ts';
import { problem } from './problems.ts';
import { gunzipTo, openTar } from './tar-medium.ts';

const GZIP = 0x1f8b;
/** `ustar` stands in the first header of a tar. */
const USTAR_AT = 257;

/**
 * Opens a medium by what it is, not by its name: a folder, an ISO, a tar, or a tar in gzip.
 * @param source as the operator named it.
 * @param scratch gets what has to be unpacked.
 * @throws Problem `import_unreadable`, and those of the kinds.
 */
export async function openMedium(
  path: string,
  source: string,
  scratch: string,
  signal?: AbortSignal,
): Promise<Medium> {
  const unreadable = (error: Error): never => {
    throw problem('import_unreadable', {
      field: 'source',
      facts: { source, reason: error.message },
      cause: error,
    });
  };
  const found = await stat(path).catch(unreadable);
  if (found.isDirectory()) return openFolder(path, signal);
  if (!found.isFile()) unreadable(new Error('it is neither a file nor a folder'));
  const head = await headOf(path).catch(unreadable);
  if (head.length >= 2 && head.readUInt16BE(0) === GZIP) {
    const tar = join(scratch, 'unpacked.tar');
    return openTar(tar, await gunzipTo(path, tar, source, signal), source, signal);
  }
  if (head.toString('latin1', USTAR_AT, USTAR_AT + 5) === 'ustar')
    return openTar(path, found.size, source, signal);
  return openIso(path, found.size, source, signal);
}

async function headOf(path: string): Promise<Buffer> {
  await using handle = await open(path, 'r');
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(512), 0, 512, 0);
  return buffer.subarray(0, bytesRead);
}

/** @throws Problem `checksum_differs`. */
export async function checkSha256(
  file: string,
  expected: string,
  source: string,
  signal?: AbortSignal,
): Promise<void> {
  const { sha256 } = await digestOf(
    createReadStream(file, { highWaterMark: 1024 * 1024, ...(signal && { signal }) }),
  );
  if (sha256 !== expected.toLowerCase())
    throw problem('checksum_differs', { field: 'sha256', facts: { source, found: sha256, expected } });
}

import { open } from 'node:fs/promises';
import { type Artefact, pieceCount, pieceRange } from '@bootswarm/images/format';

const SHA1_BYTES = 20;

/**
 * SHA-1 of each piece of an artefact's file, 20 bytes each. Hashed in libuv's pool, one piece at a time, so that neither
 * the event loop nor other readers wait for it.
 * @throws what the disk throws; Error where the file is shorter than the artefact.
 */
export async function sha1PiecesOf(
  path: string,
  artefact: Pick<Artefact, 'length' | 'pieceBytes'>,
): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const count = pieceCount(artefact.length, artefact.pieceBytes);
  const hashes = new Uint8Array(count * SHA1_BYTES);
  const piece = Buffer.allocUnsafe(Math.min(artefact.pieceBytes, artefact.length));
  for (let index = 0; index < count; index++) {
    const { start, end } = pieceRange(artefact, index);
    let filled = 0;
    while (filled < end - start) {
      const { bytesRead } = await file.read(piece, filled, end - start - filled, start + filled);
      if (bytesRead === 0)
        throw new Error(`${path} ends after ${start + filled} of ${artefact.length} bytes`);
      filled += bytesRead;
    }
    const hash = await crypto.subtle.digest('SHA-1', piece.subarray(0, filled));
    hashes.set(new Uint8Array(hash), index * SHA1_BYTES);
  }
  return hashes;
}

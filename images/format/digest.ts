import { createHash } from 'node:crypto';
import { PIECE_BYTES } from './manifest.ts';

export interface Digest {
  /** Bytes. */
  readonly length: number;
  readonly sha256: string;
  readonly pieceBytes: number;
  readonly pieces: readonly string[];
}

/**
 * SHA-256 of a stream of bytes and of each of its pieces, in one pass and flat memory.
 * @param onBytes told the bytes read so far, for progress.
 */
export async function digestOf(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
  pieceBytes = PIECE_BYTES,
): Promise<Digest> {
  const whole = createHash('sha256');
  const pieces: string[] = [];
  let piece = createHash('sha256');
  let inPiece = 0;
  let length = 0;
  for await (const chunk of source) {
    whole.update(chunk);
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + pieceBytes - inPiece);
      piece.update(part);
      at += part.length;
      inPiece += part.length;
      if (inPiece === pieceBytes) {
        pieces.push(piece.digest('hex'));
        piece = createHash('sha256');
        inPiece = 0;
      }
    }
    length += chunk.length;
    onBytes(length);
  }
  if (inPiece > 0) pieces.push(piece.digest('hex'));
  return { length, sha256: whole.digest('hex'), pieceBytes, pieces };
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { createHash, hash } from 'node:crypto';
import { PIECE_BYTES } from './manifest.ts';

export interface Digest {
  /** Bytes. */
  readonly length: number;
  readonly sha256: string;
  readonly pieceBytes: number;
  readonly pieces: readonly string[];
}

/** SHA-256 of bytes that come bit by bit, and of each of their pieces, in flat memory. */
export class Digester {
  readonly #pieceBytes: number;
  readonly #whole = createHash('sha256');
  readonly #pieces: string[] = [];
  #piece = createHash('sha256');
  #inPiece = 0;
  #length = 0;

  constructor(pieceBytes = PIECE_BYTES) {
    this.#pieceBytes = pieceBytes;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  update(chunk: Uint8Array): void {
    this.#whole.update(chunk);
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + this.#pieceBytes - this.#inPiece);
      this.#piece.update(part);
      at += part.length;
      this.#inPiece += part.length;
      if (this.#inPiece === this.#pieceBytes) this.#endPiece();
    }
    this.#length += chunk.length;
  }

  /** Of all bytes; to be called once, at their end. */
  digest(): Digest {
    if (this.#inPiece > 0) this.#endPiece();
    return {
      length: this.#length,
      sha256: this.#whole.digest('hex'),
      pieceBytes: this.#pieceBytes,
      pieces: this.#pieces,
    };
  }

  #endPiece(): void {
    this.#pieces.push(this.#piece.digest('hex'));
    this.#piece = createHash('sha256');
    this.#inPiece = 0;
  }
}

/**
 * SHA-256 of a stream of bytes and of each of its pieces, in one pass.
 * @param onBytes told the bytes read so far, for progress.
 */
export async function digestOf(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
  pieceBytes = PIECE_BYTES,
): Promise<Digest> {
  const digester = new Digester(pieceBytes);
  for await (const chunk of source) {
    digester.update(chunk);
    onBytes(digester.length);
  }
  return digester.digest();
}

export function sha256Of(bytes: Uint8Array | string): string {
  return hash('sha256', bytes);
}

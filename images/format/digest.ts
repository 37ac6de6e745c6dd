import { createHash, type Hash, hash } from 'node:crypto';
import { PIECE_BYTES } from './manifest.ts';

export interface Digest {
  /** Bytes. */
  readonly length: number;
  readonly sha256: string;
  readonly pieceBytes: number;
  readonly pieces: readonly string[];
}

/** What a torrent needs beside (BEP 3): SHA-1 of each piece in order, 20 bytes each. */
export interface TorrentDigest extends Digest {
  readonly sha1Pieces: Uint8Array;
}

/** SHA-256 of bytes that come bit by bit, and of each of their pieces, in flat memory. */
export class Digester {
  readonly #pieceBytes: number;
  readonly #whole = createHash('sha256');
  readonly #pieces: PieceHashes;
  #length = 0;

  constructor(pieceBytes = PIECE_BYTES) {
    this.#pieceBytes = pieceBytes;
    this.#pieces = new PieceHashes('sha256', pieceBytes);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  update(chunk: Uint8Array): void {
    this.#whole.update(chunk);
    this.#pieces.update(chunk);
    this.#length += chunk.length;
  }

  /** Of all bytes; to be called once, at their end. */
  digest(): Digest {
    return {
      length: this.#length,
      sha256: this.#whole.digest('hex'),
      pieceBytes: this.#pieceBytes,
      pieces: this.#pieces.end().map((hash) => hash.toString('hex')),
    };
  }
}

/** Hashes of each piece of bytes that come bit by bit. */
class PieceHashes {
  readonly #algorithm: 'sha1' | 'sha256';
  readonly #pieceBytes: number;
  readonly #ended: Buffer[] = [];
  #piece: Hash;
  #inPiece = 0;

  constructor(algorithm: 'sha1' | 'sha256', pieceBytes: number) {
    this.#algorithm = algorithm;
    this.#pieceBytes = pieceBytes;
    this.#piece = createHash(algorithm);
  }

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + this.#pieceBytes - this.#inPiece);
      this.#piece.update(part);
      at += part.length;
      this.#inPiece += part.length;
      if (this.#inPiece === this.#pieceBytes) this.#endPiece();
    }
  }

  /** Of all pieces, in order; to be called once, at the end of the bytes. */
  end(): readonly Buffer[] {
    if (this.#inPiece > 0) this.#endPiece();
    return this.#ended;
  }

  #endPiece(): void {
    this.#ended.push(this.#piece.digest());
    this.#piece = createHash(this.#algorithm);
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

/** The same with the SHA-1 of each piece, which only whoever makes or serves a torrent needs. */
export async function torrentDigestOf(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
  pieceBytes = PIECE_BYTES,
): Promise<TorrentDigest> {
  const sha1 = new PieceHashes('sha1', pieceBytes);
  const both = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      sha1.update(chunk);
      yield chunk;
    }
  };
  const digest = await digestOf(both(), onBytes, pieceBytes);
  return { ...digest, sha1Pieces: Buffer.concat(sha1.end()) };
}

export function sha256Of(bytes: Uint8Array | string): string {
  return hash('sha256', bytes);
}

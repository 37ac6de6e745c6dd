import { type Artefact, pieceRange } from '@bootswarm/images/format';
import type { PieceStore } from './piece-store.ts';

/** Memory of one piece each, used again and again. */
export class PieceMemory {
  readonly #bytes: number;
  readonly #mostSpare: number;
  readonly #spare: Buffer[] = [];

  /** @param bytes of each buffer. */
  constructor(bytes: number, mostSpare: number) {
    this.#bytes = bytes;
    this.#mostSpare = mostSpare;
  }

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#spare.length < this.#mostSpare) this.#spare.push(buffer);
  }
}

/** Reads under way beyond which none is begun ahead of its need: libuv has four threads. */
const MOST_AHEAD = 2;

interface Cached {
  readonly memory: Buffer;
  readonly bytes: Uint8Array;
  /** Writes that it is part of. */
  holds: number;
}

/** A piece whose bytes stay until it is let go. */
export interface HeldPiece {
  readonly bytes: Uint8Array;
  release(): void;
}

/**
 * Pieces that were read or written last, for peers that ask for the same ones at about the same time. One read a piece,
 * whoever waits for it. Where all of them are being sent, more are read: at most one for each peer.
 */
export class PieceCache {
  readonly #artefact: Artefact;
  readonly #store: PieceStore;
  readonly #memory: PieceMemory;
  readonly #mostPieces: number;
  /** The least recently used first. */
  readonly #cached = new Map<number, Cached>();
  readonly #reading = new Map<number, Promise<void>>();

  constructor(artefact: Artefact, store: PieceStore, memory: PieceMemory, mostPieces: number) {
    this.#artefact = artefact;
    this.#store = store;
    this.#memory = memory;
    this.#mostPieces = mostPieces;
  }

  /** The piece, where it is in memory. */
  held(index: number): HeldPiece | undefined {
    const cached = this.#cached.get(index);
    if (!cached) return undefined;
    this.#cached.delete(index);
    this.#cached.set(index, cached);
    cached.holds += 1;
    let isHeld = true;
    return {
      bytes: cached.bytes,
      release: () => {
        if (isHeld) cached.holds -= 1;
        isHeld = false;
        this.#trim();
      },
    };
  }

  /** Reads a piece into memory. @throws what the store throws. */
  load(index: number): Promise<void> {
    if (this.#cached.has(index)) return Promise.resolve();
    const under = this.#reading.get(index);
    if (under !== undefined) return under;
    const reading = this.#read(index).finally(() => this.#reading.delete(index));
    this.#reading.set(index, reading);
    return reading;
  }

  /** Reads a piece that will be asked for, while little else is read. */
  ahead(index: number): void {
    // Whoever needs it meets the same failure, and deals with it.
    if (this.#reading.size < MOST_AHEAD) this.load(index).catch(() => {});
  }

  /** Takes over the memory of a piece that was just stored: neighbours are about to ask for it. */
  add(index: number, memory: Buffer): void {
    const { start, end } = pieceRange(this.#artefact, index);
    if (this.#cached.has(index)) this.#memory.giveBack(memory);
    else this.#cached.set(index, { memory, bytes: memory.subarray(0, end - start), holds: 0 });
    this.#trim();
  }

  async #read(index: number): Promise<void> {
    const memory = this.#memory.take();
    try {
      await this.#store.read(index, memory);
    } catch (error) {
      this.#memory.giveBack(memory);
      throw error;
    }
    this.add(index, memory);
  }

  #trim(): void {
    if (this.#cached.size <= this.#mostPieces) return;
    for (const [index, { memory, holds }] of this.#cached) {
      if (holds > 0) continue;
      this.#cached.delete(index);
      this.#memory.giveBack(memory);
      if (this.#cached.size <= this.#mostPieces) return;
    }
  }
}

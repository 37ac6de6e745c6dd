import { constants, type FileHandle, open } from 'node:fs/promises';
import { type Artefact, pieceRange, sha256Of } from '@bootswarm/images/format';
import { PieceSet } from './piece-set.ts';
import { peerProblem } from './problems.ts';

/** Where the verified pieces of an artefact are: RAM, a file, a disk. They come in any order. */
export interface PieceStore {
  /** What is there. The store adds to it when a write is done; nobody else does. */
  readonly have: PieceSet;
  /** Fills the front of `into`, at least as long as the piece. @returns that part. @throws what the disk throws. */
  read(index: number, into: Uint8Array): Promise<Uint8Array>;
  /** The bytes of one whole piece, already verified; they must not change until it resolves. @throws what the disk throws. */
  write(index: number, bytes: Uint8Array): Promise<void>;
}

/** All of an artefact in memory, such as a kernel, or a live root that is to be mounted from RAM. */
export class MemoryPieces implements PieceStore {
  readonly have: PieceSet;
  /** The artefact; what did not come yet is zero. */
  readonly bytes: Uint8Array;
  readonly #artefact: Artefact;

  /** @param bytes what is there already, whole and right. */
  constructor(artefact: Artefact, bytes?: Uint8Array) {
    this.#artefact = artefact;
    this.bytes = bytes ?? new Uint8Array(artefact.length);
    this.have = bytes ? PieceSet.whole(artefact.pieces.length) : new PieceSet(artefact.pieces.length);
  }

  async read(index: number, into: Uint8Array): Promise<Uint8Array> {
    const { start, end } = pieceRange(this.#artefact, index);
    into.set(this.bytes.subarray(start, end));
    return into.subarray(0, end - start);
  }

  async write(index: number, bytes: Uint8Array): Promise<void> {
    this.bytes.set(bytes, pieceRange(this.#artefact, index).start);
    this.have.add(index);
  }
}

export interface FilePiecesOptions {
  /** Byte of the file or device at which the artefact begins. */
  readonly offset?: number;
  /** Told of each piece that was looked at, where what is there is checked. */
  readonly onChecked?: (index: number, isRight: boolean) => void;
  readonly signal?: AbortSignal;
}

/**
 * Bytes of one write. The kernel takes memory for the page cache in runs as long as a write: runs of 1 MiB are those that
 * a virtual machine's host took away, and their first touch costs 2 s of CPU a GiB more; shorter ones are in use all the
 * time. Below 256 KiB the turns of threads cost more than that saves.
 */
const WRITE_BYTES = 256 * 1024;

/** A file, or a disk: pieces are written where they belong, and what stands there after a restart is kept. */
export class FilePieces implements PieceStore, AsyncDisposable {
  readonly have: PieceSet;
  readonly #artefact: Artefact;
  readonly #file: FileHandle;
  readonly #offset: number;
  #writing = Promise.resolve();

  private constructor(artefact: Artefact, file: FileHandle, have: PieceSet, offset: number) {
    this.#artefact = artefact;
    this.#file = file;
    this.have = have;
    this.#offset = offset;
  }

  /** A file that is known to hold all of the artefact: its hashes were checked when it was put there. */
  static async whole(artefact: Artefact, path: string): Promise<FilePieces> {
    const file = await open(path, 'r');
    return new FilePieces(artefact, file, PieceSet.whole(artefact.pieces.length), 0);
  }

  /** Opens the file, or makes it, and finds by their hashes which pieces it holds. @throws what the disk throws. */
  static async resume(
    artefact: Artefact,
    path: string,
    { offset = 0, onChecked, signal }: FilePiecesOptions = {},
  ): Promise<FilePieces> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      const store = new FilePieces(artefact, file, new PieceSet(artefact.pieces.length), offset);
      const stat = await file.stat();
      if (stat.isFile() && stat.size > offset + artefact.length)
        await file.truncate(offset + artefact.length);
      const held = stat.isFile() ? stat.size - offset : artefact.length;
      await store.#check(held, onChecked, signal);
      return store;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async read(index: number, into: Uint8Array): Promise<Uint8Array> {
    const { start, end } = pieceRange(this.#artefact, index);
    const piece = into.subarray(0, end - start);
    for (let filled = 0; filled < piece.length; ) {
      const at = this.#offset + start + filled;
      const { bytesRead } = await this.#file.read(piece, filled, piece.length - filled, at);
      if (bytesRead === 0)
        throw peerProblem('piece_unreadable', { facts: { index, name: this.#artefact.name } });
      filled += bytesRead;
    }
    return piece;
  }

  /** One write at a time: the kernel locks the file for each, and threads that wait for it spin meanwhile. */
  write(index: number, bytes: Uint8Array): Promise<void> {
    const writing = this.#writing.then(() => this.#write(index, bytes));
    this.#writing = writing.catch(() => {});
    return writing;
  }

  /** Resolves when what was written would survive a loss of power. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(index: number, bytes: Uint8Array): Promise<void> {
    const { start } = pieceRange(this.#artefact, index);
    for (let done = 0; done < bytes.length; ) {
      const at = this.#offset + start + done;
      const part = Math.min(bytes.length - done, WRITE_BYTES);
      done += (await this.#file.write(bytes, done, part, at)).bytesWritten;
    }
    this.have.add(index);
  }

  async #check(heldBytes: number, onChecked: FilePiecesOptions['onChecked'], signal?: AbortSignal) {
    const { length, pieceBytes, pieces } = this.#artefact;
    const memory = Buffer.allocUnsafe(Math.min(pieceBytes, length));
    for (const [index, sha256] of pieces.entries()) {
      if (pieceRange(this.#artefact, index).end > heldBytes) break;
      signal?.throwIfAborted();
      const isRight = sha256Of(await this.read(index, memory)) === sha256;
      if (isRight) this.have.add(index);
      onChecked?.(index, isRight);
    }
  }
}

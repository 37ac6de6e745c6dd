import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  type Artefact,
  isZstdDiskImage,
  type Manifest,
  Problem,
  releaseId,
  unpackDiskImage,
} from '@bootswarm/images/format';
import { forbiddenCode, type HeldBack, MBR_CODE_BYTES } from './boot-code.ts';
import { isFat, partitionsIn } from './disk-tables.ts';
import { type FetchParts, fetchPieces } from './fetch-root.ts';
import type { Mounts } from './mounts.ts';
import { problem } from './problems.ts';
import { type WrittenBlock, writtenBlock } from './read-back.ts';
import type { Programs } from './run-program.ts';
import { SystemRoot } from './system-root.ts';

const BLOCK_BYTES = 2 ** 20;
const SECTOR_BYTES = 512;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** Where the table stands that says an installation has begun: a GPT of sectors of 4,096 bytes. */
const BEGUN_TABLE_BYTES = 6 * 4096;

/** What of a disk the writing of an image needs. */
type DiskFile = Pick<FileHandle, 'read' | 'write' | 'sync'>;

/** What was written of an image, and what was not yet. */
export interface WrittenImage {
  /** Its first block, with the table: to be written once all else is on the disk. Firmware finds nothing by it. */
  readonly head: Buffer;
  /** What firmware starts it by: the code of its MBR, and the first sectors of what UEFI can read. */
  readonly held: readonly HeldBack[];
  readonly blocks: readonly WrittenBlock[];
}

/**
 * Writes what comes to a disk in order, but for its first block, and for what firmware would start it by. Before the first
 * byte, what UEFI might read at the beginnings of the partitions to come is gone from the disk. A block of zeros is
 * written only where the disk has something else there, so that a disk that gives no room to what was never written keeps
 * its holes.
 */
export class HoleWriter {
  readonly #file: DiskFile;
  readonly #mostBytes: number;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #filled = 0;
  #at = 0;
  #head = Buffer.alloc(0);
  #starts: readonly number[] = [];
  readonly #held: HeldBack[] = [];
  readonly #blocks: WrittenBlock[] = [];

  constructor(file: DiskFile, mostBytes: number) {
    this.#file = file;
    this.#mostBytes = mostBytes;
  }

  /** Bytes that were taken. */
  get length(): number {
    return this.#at + this.#filled;
  }

  get image(): WrittenImage {
    return { head: this.#head, held: this.#held, blocks: this.#blocks };
  }

  /** @throws RangeError where the disk is full; whatever the disk does. */
  async add(part: Uint8Array): Promise<void> {
    if (this.length + part.length > this.#mostBytes) throw new RangeError('the disk is full');
    for (let from = 0; from < part.length; ) {
      const piece = part.subarray(from, from + BLOCK_BYTES - this.#filled);
      this.#block.set(piece, this.#filled);
      this.#filled += piece.length;
      from += piece.length;
      if (this.#filled === BLOCK_BYTES) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const block = this.#block.subarray(0, this.#filled);
    const isHead = this.#at === 0;
    if (isHead) {
      this.#starts = partitionsIn(block).map(({ startBytes }) => startBytes);
      await this.#clearStarts();
      if (block.length >= MBR_CODE_BYTES && !isZero(block)) this.#hold(block, 0, forbiddenCode());
    }
    for (const start of this.#starts) {
      const sector = block.subarray(Math.max(0, start - this.#at), start - this.#at + SECTOR_BYTES);
      if (start >= this.#at && isFat(sector)) this.#hold(block, start, Buffer.alloc(SECTOR_BYTES));
    }
    if (isHead) this.#head = Buffer.from(block);
    else if (!isZero(block) || !(await this.#isZeroThere(block.length))) await this.#write(block);
    this.#at += this.#filled;
    this.#filled = 0;
  }

  /** Of an image that was there before, at the same places: the new table may not lead to it, whenever power goes. */
  async #clearStarts(): Promise<void> {
    for (const start of this.#starts)
      if (start >= BEGUN_TABLE_BYTES && start + SECTOR_BYTES <= this.#mostBytes)
        await this.#file.write(ZEROS, 0, SECTOR_BYTES, start);
    await this.#file.sync();
  }

  #hold(block: Buffer, at: number, instead: Buffer): void {
    const place = block.subarray(at - this.#at, at - this.#at + instead.length);
    this.#held.push({ at, bytes: Buffer.from(place), instead });
    place.set(instead);
  }

  async #isZeroThere(length: number): Promise<boolean> {
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, this.#at);
    return bytesRead === length && isZero(buffer);
  }

  async #write(block: Uint8Array): Promise<void> {
    this.#blocks.push(writtenBlock(this.#at, block));
    for (let done = 0; done < block.length; ) {
      const { bytesWritten } = await this.#file.write(block, done, block.length - done, this.#at + done);
      done += bytesWritten;
    }
  }
}

function isZero(block: Uint8Array): boolean {
  return Buffer.compare(block, ZEROS.subarray(0, block.length)) === 0;
}

/**
 * Writes a disk image, raw or under zstd, as its pieces come: all but its head, and what firmware would start it by.
 * @param disk its device, and its size in bytes.
 * @throws Problem disk_image_too_large, disk_image_broken, and as fetchPieces.
 */
export async function writeDiskImage(
  artefact: Artefact,
  manifest: Manifest,
  disk: { readonly path: string; readonly bytes: number },
  parts: FetchParts,
): Promise<WrittenImage> {
  const file = await open(disk.path, 'r+');
  try {
    const writer = new HoleWriter(file, disk.bytes);
    await unpackedPieces(artefact, parts, (bytes) => writer.add(bytes));
    await writer.flush();
    await file.sync();
    return writer.image;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const cause = error;
    if (error instanceof RangeError)
      throw problem('disk_image_too_large', { facts: { disk: disk.path, size: disk.bytes }, cause });
    if (!(error instanceof Problem) && /^(ZSTD|Z_BUF)/.test(code ?? ''))
      throw problem('disk_image_broken', { facts: { release: releaseId(manifest), reason: message }, cause });
    throw error;
  } finally {
    await file.close();
  }
}

/** Writes the head of an image, which makes its partitions appear. @returns it as a block to be read back. */
export async function writeHead(disk: string, head: Buffer): Promise<WrittenBlock> {
  await using file = await open(disk, 'r+');
  await file.write(head, 0, head.length, 0);
  await file.sync();
  return writtenBlock(0, head);
}

async function unpackedPieces(
  artefact: Artefact,
  parts: FetchParts,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const unpack = unpackDiskImage();
  let writing: Promise<void> | undefined;
  let failed: unknown;
  const write = async (): Promise<void> => {
    for await (const bytes of Readable.from(unpack)) await take(bytes as Uint8Array);
  };
  try {
    await fetchPieces(
      artefact,
      async ({ bytes, index }) => {
        const isZstd = index > 0 ? writing !== undefined : isZstdDiskImage(bytes);
        if (!isZstd) return take(bytes);
        writing ??= write().catch((error) => {
          failed = error;
          unpack.destroy();
        });
        await pushed(unpack, bytes);
        if (failed !== undefined) throw failed;
      },
      parts,
    );
    unpack.end();
    await writing;
    if (failed !== undefined) throw failed;
  } finally {
    unpack.destroy();
  }
}

/** Resolves when there is room for more, or nobody reads any more. The source's memory is used again: it is copied. */
function pushed(unpack: ReturnType<typeof unpackDiskImage>, bytes: Uint8Array): Promise<void> {
  if (unpack.destroyed || unpack.write(Buffer.from(bytes))) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      unpack.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    unpack.once('drain', done).once('close', done).once('error', done);
  });
}

/**
 * Mounts the partition of a disk that holds a system.
 * @param partitions their devices.
 * @returns undefined where none does; then nothing is mounted.
 */
export async function mountRootOf(
  partitions: readonly string[],
  folder: string,
  {
    programs,
    mounts,
    signal,
  }: { readonly programs: Programs; readonly mounts: Mounts; readonly signal: AbortSignal },
): Promise<SystemRoot | undefined> {
  for (const device of partitions) {
    const probed = await programs.run(['blkid', '-p', '-o', 'value', '-s', 'TYPE', device], {
      what: `look at ${device}`,
      signal,
      fine: [2, 8],
    });
    const type = probed.stdout.trim();
    if (!/^(ext[234]|xfs)$/.test(type)) continue;
    await mounts.mount(device, folder, { type: type === 'xfs' ? 'xfs' : 'ext4' }, signal);
    const root = new SystemRoot(folder);
    if (root.has('/etc/os-release') || root.has('/usr/lib/os-release')) return root;
    await mounts.unmount(signal, folder);
  }
  return undefined;
}

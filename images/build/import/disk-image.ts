import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, constants as fsConstants, open, rename, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { isZstdDiskImage, unpackDiskImage } from '@bootswarm/images/format';
import { problem } from './problems.ts';

export type DiskImageKind = 'raw' | 'zstd';

const SECTOR_BYTES = 512;
const READ_BYTES = 2 ** 20;
/** No server boots from a larger disk; what says that it is may never end. */
const MOST_BYTES = 16 * 2 ** 40;
/** Of an MBR, which a disk with a GPT has as well: UEFI 2.10, section 5.2.3. */
const MBR_SIGNATURE = 0xaa55;
/** ECMA-119, section 8.1: a hybrid ISO begins like a disk. */
const ISO_MARK_AT = 16 * 2048 + 1;
/** What operators have as well, by its first bytes, and what makes a disk image of it. */
const OTHERS: readonly (readonly [magic: Buffer, format: string, command: string])[] = [
  [Buffer.from('QFI\xfb', 'latin1'), 'qcow2', 'qemu-img convert -O raw {source} disk.raw'],
  [Buffer.from('KDMV'), 'VMDK', 'qemu-img convert -O raw {source} disk.raw'],
  [Buffer.from('vhdxfile'), 'VHDX', 'qemu-img convert -O raw {source} disk.raw'],
  [Buffer.from('\xfd7zXZ\0', 'latin1'), 'xz', 'xz --decompress --stdout {source} >disk.raw'],
];

/**
 * Whether a file is the image of a disk, raw or under zstd; undefined for anything else, and for what is no file.
 * @throws Problem `disk_image_format` for one of a kind that is not taken.
 */
export async function diskImageKind(path: string, source: string): Promise<DiskImageKind | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  await using file = await open(path, 'r');
  const read = async (at: number, length: number): Promise<Buffer> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  };
  const head = await read(0, SECTOR_BYTES);
  const beginsWith = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  if (isZstdDiskImage(head)) return 'zstd';
  const other = OTHERS.find(([magic]) => beginsWith(magic));
  if (other)
    throw problem('disk_image_format', {
      field: 'source',
      facts: { source, format: other[1], command: other[2].replace('{source}', () => source) },
    });
  if (!isDisk(head)) return undefined;
  return (await read(ISO_MARK_AT, 5)).toString('latin1') === 'CD001' ? undefined : 'raw';
}

function isDisk(head: Buffer): boolean {
  return head.length === SECTOR_BYTES && head.readUInt16LE(SECTOR_BYTES - 2) === MBR_SIGNATURE;
}

export interface DiskImageOptions {
  readonly source: string;
  readonly kind: DiskImageKind;
  /** Whether the file may be moved. */
  readonly isOurs: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the source were read, and how many it has. */
  readonly onBytes: (bytes: number, ofBytes: number) => void;
}

/**
 * Takes the image of a disk to a file, under zstd, and reads all of it on the way.
 * @returns bytes of the disk. @throws Problem `disk_image_not_one`, `disk_image_broken`
 */
export async function takeDiskImage(
  path: string,
  to: string,
  { source, kind, isOurs, signal, onBytes }: DiskImageOptions,
): Promise<number> {
  const { size: ofBytes } = await stat(path);
  let read = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      read += chunk.length;
      onBytes(read, ofBytes);
      yield chunk;
    }
  };
  const input = createReadStream(path, { highWaterMark: READ_BYTES });
  const means = signal ? { signal } : {};
  if (kind === 'raw') {
    const pack = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    await pipeline(input, counted, pack, createWriteStream(to), means);
    return ofBytes;
  }
  const unpack = unpackDiskImage();
  let length = 0;
  const check = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    const notOne = (): Error => problem('disk_image_not_one', { field: 'source', facts: { source } });
    let head = Buffer.alloc(0);
    for await (const chunk of chunks) {
      if (head.length < SECTOR_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, SECTOR_BYTES - head.length)]);
        if (head.length === SECTOR_BYTES && !isDisk(head)) throw notOne();
      }
      length += chunk.length;
      if (length > MOST_BYTES) throw notOne();
    }
    if (!isDisk(head)) throw notOne();
  };
  try {
    await pipeline(input, counted, unpack, check, means);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!/^(ZSTD|Z_BUF)/.test(code)) throw error;
    throw problem('disk_image_broken', { field: 'source', facts: { source, reason: message }, cause: error });
  }
  if (isOurs) await rename(path, to);
  else await copyFile(path, to, fsConstants.COPYFILE_FICLONE);
  return length;
}

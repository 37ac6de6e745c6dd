import { type ByteRange, readRange } from './medium.ts';
import { problem } from './problems.ts';
import { runReader } from './reader.ts';

const SUPERBLOCK_BYTES = 96;
/** fs/erofs/erofs_fs.h: the other file system of live media, Fedora's since 42. */
const EROFS = { at: 1024, magic: 0xe0f5e1e2 } as const;
/** fs/squashfs/squashfs_fs.h of the kernel. */
const COMPRESSORS = ['gzip', 'lzma', 'lzo', 'xz', 'lz4', 'zstd'];
/** A file system inside takes no memory of a machine before it is read: a sparse one may say 10 GiB, but not this. */
const MOST_NESTED_BYTES = 1024 ** 4;

export interface Squashfs {
  readonly compressor: string;
  readonly blockBytes: number;
  readonly inodes: number;
  /** Bytes that are of it; the rest of the file is padding. */
  readonly usedBytes: number;
}

/**
 * The superblock (squashfs_fs.h, struct squashfs_super_block), checked against the length of the file.
 * @returns what it says, or why it is none.
 */
export function readSuperblock(head: Buffer, length: number): Squashfs | string {
  if (head.length >= 4 && head.length < SUPERBLOCK_BYTES) return 'it ends within its first block';
  if (head.length < 4 || head.toString('latin1', 0, 4) !== 'hsqs') return 'it does not begin with hsqs';
  const [inodes, blockBytes, blockLog] = [head.readUInt32LE(4), head.readUInt32LE(12), head.readUInt16LE(22)];
  const compressor = COMPRESSORS[head.readUInt16LE(20) - 1];
  const [major, minor] = [head.readUInt16LE(28), head.readUInt16LE(30)];
  const usedBytes = Number(head.readBigUInt64LE(40));
  if (major !== 4) return `its version is ${major}.${minor}, and kernels of today read 4.0`;
  if (compressor === undefined) return `its compressor has the unknown number ${head.readUInt16LE(20)}`;
  if (blockLog < 12 || blockLog > 20 || blockBytes !== 2 ** blockLog)
    return `its blocks have ${blockBytes} bytes`;
  if (usedBytes > length) return `it is truncated: it has ${usedBytes} bytes, and ${length} are there`;
  if (inodes === 0) return 'it is empty';
  // A root of distributions has some thousand bytes for each.
  if (inodes > usedBytes) return `it claims ${inodes} files in ${usedBytes} bytes`;
  return { compressor, blockBytes, inodes, usedBytes };
}

/** @throws Problem `root_not_squashfs`, `root_erofs`. */
export async function checkSquashfs(range: ByteRange, path: string): Promise<Squashfs> {
  const head = await readRange(range, EROFS.at + 4);
  if (head.length === EROFS.at + 4 && head.readUInt32LE(EROFS.at) === EROFS.magic)
    throw problem('root_erofs', { field: 'root', facts: { path } });
  const found = readSuperblock(head, range.length);
  if (typeof found === 'string')
    throw problem('root_not_squashfs', { field: 'root', facts: { path, reason: found } });
  return found;
}

/**
 * Whether the root is the squashfs itself, or one file system in a file inside: Fedora's way (dracut.cmdline(7),
 * "Booting live images"). Lists two folders of it and unpacks nothing.
 * @param range must begin a host file: unsquashfs is given the offset.
 * @throws Problem `root_unclear`, `root_not_squashfs`.
 */
export async function rootFormatOf(
  range: ByteRange,
  path: string,
  signal?: AbortSignal,
): Promise<'squashfs' | 'nested'> {
  const inside = await runReader({
    command: 'unsquashfs',
    package: 'squashfs-tools',
    arguments: ['-lln', '-max-depth', '2', '-offset', String(range.offset), range.file],
    source: path,
    signal,
  });
  const entries = entriesOf(inside);
  const image = entries.find(({ name }) => name === 'LiveOS/rootfs.img' || name === 'LiveOS/ext3fs.img');
  if (image !== undefined) {
    if (image.type === '-' && image.bytes > 0 && image.bytes <= MOST_NESTED_BYTES) return 'nested';
    const reason = `${image.name} in it has ${image.bytes} bytes`;
    throw problem('root_not_squashfs', { field: 'root', facts: { path, reason } });
  }
  const top = new Set(entries.map(({ name }) => name.replace(/\/.*/s, '')));
  // What makes a root: dracut looks for `proc` too.
  if (top.has('etc') || top.has('proc') || top.has('usr')) return 'squashfs';
  const found = [...top].slice(0, 16).join(', ') || 'nothing';
  throw problem('root_unclear', { field: 'root', facts: { path, found } });
}

interface SquashfsEntry {
  /** As `ls -l` begins: `d`, `-`, `l`. */
  readonly type: string;
  readonly bytes: number;
  readonly name: string;
}

/** From `unsquashfs -lln`: mode, owner, size, date, time, path below `squashfs-root`. */
export function entriesOf(output: string): SquashfsEntry[] {
  const line = /^([-dlbcps])\S{9} +\S+ +(\d+(?:, *\d+)?) +\S+ +\S+ squashfs-root\/(.+?)(?: -> .*)?$/gm;
  return [...output.matchAll(line)].map(([, type = '', bytes = '', name = '']) => ({
    type,
    bytes: Number.parseInt(bytes, 10),
    name,
  }));
}

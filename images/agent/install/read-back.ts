import { createHash } from 'node:crypto';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '@bootswarm/images/format';
import type { DiskPlan } from '@bootswarm/images/install';
import { diskFailure } from './disk-failure.ts';
import { problem } from './problems.ts';

/**
 * How much of the beginning of its disks a machine boots from: the table, the MBR's code and what follows it, and the
 * BIOS boot partition. No file system is in it: mounting one changes it. Pure.
 */
export function headBytesOf({ disks }: Pick<DiskPlan, 'disks'>): number {
  const partitions = disks[0]?.partitions ?? [];
  const loader = partitions.find(({ role }) => role === 'bios-boot');
  if (loader) return loader.startBytes + loader.lengthBytes;
  return Math.min(...partitions.map(({ startBytes }) => startBytes), 2 ** 20);
}

/** SHA-256 of what a machine boots from, by name: files, and the heads of disks. */
export type BootHashes = ReadonlyMap<string, string>;

/**
 * Hashes everything under folders, and the heads of disks.
 * @param folders by the name under which they are told.
 * @throws Problem disk_failed
 */
export async function hashBoot(
  folders: Readonly<Record<string, string>>,
  disks: { readonly paths: readonly string[]; readonly headBytes: number },
  signal: AbortSignal,
): Promise<BootHashes> {
  const hashes = new Map<string, string>();
  const memory = Buffer.allocUnsafeSlow(2 ** 20);
  const add = async (name: string, path: string, mostBytes = Number.POSITIVE_INFINITY): Promise<void> => {
    signal.throwIfAborted();
    try {
      hashes.set(name, await hashFile(path, mostBytes, memory));
    } catch (error) {
      throw diskFailure(`reading ${name}`, error);
    }
  };
  for (const [name, folder] of Object.entries(folders)) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((each) => each.isFile())) {
      const path = join(entry.parentPath, entry.name);
      await add(name + path.slice(folder.length), path);
    }
  }
  for (const disk of disks.paths) await add(`the head of ${disk}`, disk, disks.headBytes);
  return hashes;
}

/** SHA-256 of the beginning of a file. There are a hundred small ones, of which a stream each would cost a second. */
async function hashFile(path: string, mostBytes: number, memory: Buffer): Promise<string> {
  const hash = createHash('sha256');
  await using file = await open(path);
  for (let at = 0; at < mostBytes; ) {
    const { bytesRead, buffer } = await file.read(memory, 0, Math.min(memory.length, mostBytes - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest('hex');
}

/** Pure. @throws Problem read_back_differs of the first that is missing or another. */
export function requireSame(written: BootHashes, found: BootHashes): void {
  for (const [path, hash] of written)
    if (found.get(path) !== hash) throw problem('read_back_differs', { facts: { path } });
}

/** What was written to a disk at once. */
export interface WrittenBlock {
  /** Byte of the disk. */
  readonly at: number;
  readonly length: number;
  readonly sha256: string;
}

/** Pure. */
export function writtenBlock(at: number, bytes: Uint8Array): WrittenBlock {
  return { at, length: bytes.length, sha256: sha256Of(bytes) };
}

/**
 * Reads what was written to a disk once more.
 * @param onBytes told how many of them were read, of how many.
 * @throws Problem read_back_differs, disk_failed
 */
export async function requireWritten(
  disk: string,
  blocks: readonly WrittenBlock[],
  { onBytes, signal }: { readonly onBytes: (done: number, total: number) => void; signal: AbortSignal },
): Promise<void> {
  const total = blocks.reduce((sum, { length }) => sum + length, 0);
  const memory = Buffer.allocUnsafeSlow(Math.max(0, ...blocks.map(({ length }) => length)));
  await using file = await open(disk);
  let done = 0;
  for (const { at, length, sha256 } of blocks) {
    signal.throwIfAborted();
    const what = `byte ${at} of ${disk}`;
    const { bytesRead } = await file.read(memory, 0, length, at).catch((error) => {
      throw diskFailure(`reading ${what}`, error);
    });
    if (sha256Of(memory.subarray(0, bytesRead)) !== sha256)
      throw problem('read_back_differs', { facts: { path: `the block from ${what}` } });
    done += length;
    onBytes(done, total);
  }
}

/** Makes the kernel forget what it has of disks, so that the next read asks them: proc_sys_vm(5). */
export async function forgetCaches(): Promise<void> {
  await writeFile('/proc/sys/vm/drop_caches', '3\n');
}

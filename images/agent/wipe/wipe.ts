import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { WipeOrder, WorkProgress } from '@bootswarm/controller/contract';
import { sha256Of } from '@bootswarm/images/format';
import type { Disk } from '@bootswarm/images/install';
import type { Programs } from '../install/run-program.ts';
import { nameOf } from './choose-wiped.ts';
import { problem } from './problems.ts';
import { sampleRanges } from './sample.ts';
import { secureErase, unlockOwn } from './secure-erase.ts';

type Method = Exclude<WipeOrder['method'], 'auto'>;

const MIB = 1024 * 1024;
const BLOCK_BYTES = 4 * MIB;
/** What is written waits in memory at most so long, or a slow disk would fill it and hide how far it is. */
const FLUSH_BYTES = 256 * MIB;

export interface WipeOptions {
  readonly programs: Programs;
  readonly method: WipeOrder['method'];
  readonly onProgress: (progress: WorkProgress) => void;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** From 0 to below 1; Math.random unless said. */
  readonly random?: () => number;
  /** Where devices are; /dev unless said. */
  readonly devices?: string;
}

/**
 * Makes what is on a disk unreadable, and proves it by reading. Its signatures go first, so that a machine whose power
 * is cut in the middle boots nothing half-wiped.
 * @throws Problem wipe_disk_locked, wipe_method_unsupported, wipe_not_proved, and what the disk or a program says.
 */
export async function wipeDisk(disk: Disk, options: WipeOptions): Promise<Method> {
  const { programs, method, signal, say, devices = '/dev' } = options;
  const device = `${devices}/${disk.name}`;
  await unlockOwn(disk, { ...options, device });
  const what = `forget what is on ${nameOf(disk)}`;
  await programs.run(['wipefs', '--all', '--force', device], { what, signal });
  const canDiscard = await supportsDiscard(disk);
  if (method === 'discard' && !canDiscard)
    throw problem('wipe_method_unsupported', {
      facts: { disk: nameOf(disk), method, reason: 'it takes no discards' },
    });
  if (method === 'secure-erase') {
    const before = await fingerprints(disk, device, options);
    await secureErase(disk, { ...options, device });
    await requireOthers(disk, device, before, options);
    return method;
  }
  if (method === 'discard' || (method === 'auto' && canDiscard)) {
    say(`${nameOf(disk)}: discarding`);
    await programs.run(['blkdiscard', device], { what: `discard ${nameOf(disk)}`, signal });
    if (method === 'discard') {
      await requireZeros(disk, device, method, options);
      return method;
    }
    if ((await firstNonZero(disk, device, options)) === undefined) return 'discard';
    say(`${nameOf(disk)}: it does not read as zeros after a discard, so it is overwritten`);
  }
  await overwrite(disk, device, options);
  await requireZeros(disk, device, 'overwrite', options);
  return 'overwrite';
}

async function supportsDiscard({ name }: Disk): Promise<boolean> {
  const most = await readFile(`/sys/block/${name}/queue/discard_max_bytes`, 'utf8').catch(() => '0');
  return Number(most) > 0;
}

async function overwrite(
  disk: Disk,
  device: string,
  { onProgress, say, signal }: WipeOptions,
): Promise<void> {
  say(`${nameOf(disk)}: overwriting ${disk.sizeBytes} bytes`);
  const zeros = Buffer.alloc(BLOCK_BYTES);
  await using file = await open(device, 'r+');
  let unflushed = 0;
  for (let at = 0; at < disk.sizeBytes; ) {
    signal.throwIfAborted();
    const { bytesWritten } = await file.write(zeros, 0, Math.min(BLOCK_BYTES, disk.sizeBytes - at), at);
    at += bytesWritten;
    unflushed += bytesWritten;
    if (unflushed >= FLUSH_BYTES || at === disk.sizeBytes) {
      await file.datasync();
      unflushed = 0;
      onProgress({ step: 'overwrite', doneBytes: at, totalBytes: disk.sizeBytes });
    }
  }
}

/** @throws Problem wipe_not_proved */
async function requireZeros(disk: Disk, device: string, method: Method, options: WipeOptions): Promise<void> {
  const at = await firstNonZero(disk, device, options);
  if (at !== undefined) throw problem('wipe_not_proved', { facts: { disk: nameOf(disk), method, at } });
}

/** SHA-256 by place of what can be read now, but of blocks that hold one byte throughout. */
async function fingerprints(
  disk: Disk,
  device: string,
  options: WipeOptions,
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for await (const { start, block } of samples(disk, device, options))
    if (block.compare(Buffer.alloc(block.length, block[0])) !== 0) found.set(start, sha256Of(block));
  return found;
}

/** After an erase by the drive itself, which may leave zeros, ones or noise: nothing is as it was. @throws Problem wipe_not_proved */
async function requireOthers(
  disk: Disk,
  device: string,
  before: ReadonlyMap<number, string>,
  options: WipeOptions,
): Promise<void> {
  await using file = await open(device, 'r');
  await flush(disk, device, options);
  for (const [start, sha256] of before) {
    const block = await readWhole(file, Buffer.alloc(Math.min(MIB, disk.sizeBytes - start)), start);
    if (sha256Of(block) === sha256)
      throw problem('wipe_not_proved', { facts: { disk: nameOf(disk), method: 'secure-erase', at: start } });
  }
}

/** Where the first byte stands that is not 0, among those that are looked at (`sampleRanges`). */
async function firstNonZero(disk: Disk, device: string, options: WipeOptions): Promise<number | undefined> {
  const zeros = Buffer.alloc(MIB);
  for await (const { start, block } of samples(disk, device, options))
    if (block.compare(zeros, 0, block.length) !== 0) return start + block.findIndex((byte) => byte !== 0);
  return undefined;
}

/** Blocks from all over a disk, each until the next is asked for. */
async function* samples(
  disk: Disk,
  device: string,
  options: WipeOptions,
): AsyncGenerator<{ readonly start: number; readonly block: Buffer }, void> {
  const { signal, onProgress, random = Math.random } = options;
  await flush(disk, device, options);
  const ranges = sampleRanges(disk.sizeBytes, random);
  const totalBytes = ranges.reduce((sum, { length }) => sum + length, 0);
  const buffer = Buffer.alloc(MIB);
  await using file = await open(device, 'r');
  let doneBytes = 0;
  for (const { start, length } of ranges) {
    signal.throwIfAborted();
    yield { start, block: await readWhole(file, buffer.subarray(0, length), start) };
    doneBytes += length;
    onProgress({ step: 'read back', doneBytes, totalBytes });
  }
}

/** What was written is to be read from the disk, and not from memory. */
async function flush(disk: Disk, device: string, { programs, signal }: WipeOptions): Promise<void> {
  await programs.run(['blockdev', '--flushbufs', device], { what: `read ${nameOf(disk)} anew`, signal });
}

async function readWhole(file: FileHandle, into: Buffer, start: number): Promise<Buffer> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, start + done);
    if (bytesRead === 0) throw new Error(`the disk ends at byte ${start + done}`);
    done += bytesRead;
  }
  return into;
}

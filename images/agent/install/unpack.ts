import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Manifest } from '@bootswarm/images/format';
import { Problem, releaseId } from '@bootswarm/images/format';
import type { Mounts } from './mounts.ts';
import { problem } from './problems.ts';
import type { Programs } from './run-program.ts';

/** Where images are looked into; nothing else is mounted there. */
const IMAGE = '/run/bootswarm/image';
const INNER = '/run/bootswarm/inner';
const MEDIUM = '/run/bootswarm/image2';
/** A file system in the place of a system, as the live media of Fedora and CentOS have it. */
const NESTED = ['LiveOS/rootfs.img', 'LiveOS/ext3fs.img', 'rootfs.img', 'ext3fs.img'];
/** The squashfs on a medium of Ubuntu or Debian. */
const ON_MEDIUM = ['casper/filesystem.squashfs', 'live/filesystem.squashfs', 'LiveOS/squashfs.img'];
const SAMPLE_MS = 500;
/** Half of unsquashfs's own default, MiB each: the agent's machine may have little memory. */
const QUEUES = ['-data-queue', '64', '-frag-queue', '64'];

export interface UnpackParts {
  readonly programs: Programs;
  readonly mounts: Mounts;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly onBytes: (done: number) => void;
}

/**
 * Unpacks the root of a release to a folder that is a file system of its own: a squashfs, one that holds a file system
 * in a file, or a medium that holds one of the two.
 * @throws Problem image_nested_missing, root_full, program_failed
 */
export async function unpackRoot(
  image: string,
  target: string,
  manifest: Manifest,
  parts: UnpackParts,
): Promise<void> {
  const { mounts, programs, signal, say } = parts;
  const isMedium = manifest.rootFormat === 'iso';
  const { folder, squashfs } = await mountSystem(image, manifest, parts);
  if (squashfs === undefined) {
    // The target has a `lost+found` of its own, and what is in the image's is nobody's.
    const argv = ['cp', '--archive', '--no-target-directory', folder, target] as const;
    await watched(target, parts, () => programs.run(argv, { what: 'copy the root', signal, say }));
    await mounts.unmount(signal, isMedium ? MEDIUM : IMAGE);
  } else {
    // By itself it is faster than what the kernel reads of it, file by file.
    await mounts.unmount(signal, folder);
    const argv = ['unsquashfs', '-force', '-no-progress', ...QUEUES, '-dest', target, squashfs] as const;
    await watched(target, parts, () =>
      programs.run(argv, { what: 'unpack the root', signal, say: quiet(say) }),
    );
    if (isMedium) await mounts.unmount(signal, MEDIUM);
  }
}

/** A system in an image, mounted to be read. */
export interface FoundSystem {
  readonly folder: string;
  /** Where the system is all of a squashfs, and no file system in a file of one. */
  readonly squashfs?: string;
}

/** Mounts the root of a release as it is. @throws Problem image_nested_missing, program_failed */
export async function mountSystem(
  image: string,
  manifest: Manifest,
  { mounts, signal }: Pick<UnpackParts, 'mounts' | 'signal'>,
): Promise<FoundSystem> {
  const squashfs = manifest.rootFormat === 'iso' ? await squashfsOnMedium() : image;
  await mounts.mount(squashfs, IMAGE, { type: 'squashfs', options: 'loop,ro' }, signal);
  if (existsSync(`${IMAGE}/etc`) && existsSync(`${IMAGE}/usr`)) return { folder: IMAGE, squashfs };
  // Its journal was never played back, and nothing of it may be written: it is only read.
  await mounts.mount(oneOf(NESTED, IMAGE), INNER, { options: 'loop,ro' }, signal);
  return { folder: INNER };

  async function squashfsOnMedium(): Promise<string> {
    await mounts.mount(image, MEDIUM, { type: 'iso9660', options: 'loop,ro' }, signal);
    return oneOf(ON_MEDIUM, MEDIUM);
  }

  function oneOf(names: readonly string[], folder: string): string {
    const found = names.map((name) => `${folder}/${name}`).find((each) => existsSync(each));
    if (found !== undefined) return found;
    const facts = { release: releaseId(manifest), names: names.join(', ') };
    throw problem('image_nested_missing', { facts });
  }
}

/** Tells how much of the target is used while something fills it. */
async function watched(
  target: string,
  { onBytes, signal }: UnpackParts,
  act: () => Promise<unknown>,
): Promise<void> {
  const used = async (): Promise<number> => {
    const { blocks, bfree, bsize } = await statfs(target);
    return (blocks - bfree) * bsize;
  };
  const before = await used();
  const sample = setInterval(() => {
    void used().then(
      (bytes) => onBytes(Math.max(0, bytes - before)),
      () => {},
    );
  }, SAMPLE_MS);
  try {
    await act();
  } catch (error) {
    const isFull = /No space left on device/i.test((error as Error).message);
    if (!isFull || signal.aborted || !(error instanceof Problem)) throw error;
    const { blocks, bsize } = await statfs(target);
    throw problem('root_full', { facts: { size: blocks * bsize }, cause: error });
  } finally {
    clearInterval(sample);
    onBytes(Math.max(0, (await used().catch(() => before)) - before));
  }
}

/** unsquashfs tells the number of everything that it made. */
function quiet(say: (line: string) => void): (line: string) => void {
  return (line) => {
    if (!/^(Parallel unsquashfs|created \d+|\d+ inodes)/.test(line)) say(line);
  };
}

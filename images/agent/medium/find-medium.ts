import { createReadStream } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artefact, type InstallMedium, MEDIUM_PATHS, mediumId } from '@bootswarm/images/format';
import { Mounts } from '../install/mounts.ts';
import type { Programs } from '../install/run-program.ts';
import type { ReleaseSource } from '../release-fetch.ts';
import { problem } from './problems.ts';

const FOLDER = '/run/bootswarm/medium';
/** A stick behind several hubs takes its time. */
const FIND_SECONDS = 60;
const PAUSE_MS = 1_000;
/** What is in memory, or put together from disks. */
const NO_MEDIUM = /^(ram|loop|dm-|md|zram|nbd|fd)/;
/** ECMA-119, sections 6.2.1 and 8.1: the first volume descriptor is in sector 16, and says so from its second byte on. */
const DESCRIPTOR_AT = 16 * 2048 + 1;
const DESCRIPTOR = 'CD001';
const READ_BYTES = 2 ** 20;

export interface FoundMedium {
  /** Kernel name of the drive or disk that it is: never a target. */
  readonly name: string;
  readonly isOptical: boolean;
  /** Where it is mounted. */
  readonly folder: string;
  /** Text of its `medium.json`. */
  readonly document: string;
  readonly unmount: (signal: AbortSignal) => Promise<void>;
}

interface FindParts {
  readonly programs: Programs;
  readonly signal: AbortSignal;
  readonly wait: (ms: number) => Promise<void>;
  /** Milliseconds, of any beginning. */
  readonly now: () => number;
}

/**
 * Finds the medium with that identity among drives and disks, and mounts it to be read alone.
 * @throws Problem medium_not_found
 */
export async function findMedium(
  id: string,
  { programs, signal, wait, now }: FindParts,
): Promise<FoundMedium> {
  for (const driver of ['isofs', 'sr_mod'])
    await programs.run(['modprobe', '-q', driver], { what: `load ${driver}`, signal }).catch(() => {});
  const until = now() + FIND_SECONDS * 1000;
  for (;;) {
    const names = (await readdir('/sys/block')).filter((name) => !NO_MEDIUM.test(name)).toSorted();
    for (const name of names) {
      const found = (await hasIso9660(`/dev/${name}`))
        ? await tryMedium(name, id, programs, signal)
        : undefined;
      if (found) return found;
    }
    if (now() > until) {
      const seen = names.join(', ') || 'nothing';
      throw problem('medium_not_found', { facts: { id, seconds: FIND_SECONDS, seen } });
    }
    await wait(PAUSE_MS);
    signal.throwIfAborted();
  }
}

async function tryMedium(
  name: string,
  id: string,
  programs: Programs,
  signal: AbortSignal,
): Promise<FoundMedium | undefined> {
  const mounts = new Mounts(programs);
  const options = 'ro,nosuid,nodev,noexec';
  try {
    await mounts.mount(`/dev/${name}`, FOLDER, { type: 'iso9660', options }, signal);
    const document = await readFile(join(FOLDER, MEDIUM_PATHS.document), 'utf8');
    if (mediumId(document) === id)
      return {
        name,
        isOptical: name.startsWith('sr'),
        folder: FOLDER,
        document,
        unmount: (until) => mounts.unmount(until),
      };
  } catch {
    // Another medium, or a damaged one; whoever finds none says which were there.
    signal.throwIfAborted();
  }
  await mounts.unmount(signal);
  return undefined;
}

/** Without a medium a drive cannot be opened. */
async function hasIso9660(device: string): Promise<boolean> {
  const text = Buffer.alloc(DESCRIPTOR.length);
  try {
    await using file = await open(device, 'r');
    await file.read(text, 0, text.length, DESCRIPTOR_AT);
  } catch {
    return false;
  }
  return text.toString('latin1') === DESCRIPTOR;
}

/** The artefacts on a medium. As from an edge, nothing of it is believed before its pieces are verified. */
export function mediumSource(folder: string, files: InstallMedium['files']): Pick<ReleaseSource, 'artefact'> {
  return {
    artefact: async ({ name }: Artefact, start, signal) => {
      const path = files[name];
      if (path === undefined) throw problem('medium_unreadable', { facts: { reason: `it has no ${name}` } });
      return createReadStream(join(folder, path), { start, signal, highWaterMark: READ_BYTES });
    },
  };
}

import { readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Artefact } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import type { Logger } from 'pino';
import { expired, sacrificed, type UnwantedArtefact } from '../decide/artefact-room.ts';
import { problem } from '../problems.ts';

const DAY_MS = 24 * 3_600_000;
/** Of the disk, for what nothing wants any more. */
const UNWANTED_SHARE = 0.25;
/** Of the disk that stay free: leases and journal are worth more than another release. */
export const RESERVE_BYTES = 256 * 1024 * 1024;

export interface RoomOptions {
  /** How long what nothing wants any more is kept, so that going back to it costs nothing. */
  readonly keepMs?: number;
  readonly now?: () => Date;
  /** Of the disk, in bytes. */
  readonly disk?: () => Promise<{ readonly freeBytes: number; readonly allBytes: number }>;
}

interface Leftover extends UnwantedArtefact {
  readonly part: 'whole' | 'partial';
}

/**
 * Removes what no desired state has wanted for a while, and sees that the disk never fills with artefacts. When one was
 * last wanted is the time of its file, so that it is known after a restart.
 */
export class ArtefactRoom {
  readonly #folder: ArtefactFolder;
  readonly #log: Logger;
  readonly #keepMs: number;
  readonly #now: () => Date;
  readonly #disk: NonNullable<RoomOptions['disk']>;

  constructor(folder: ArtefactFolder, log: Logger, options: RoomOptions = {}) {
    this.#folder = folder;
    this.#log = log;
    this.#keepMs = options.keepMs ?? DAY_MS;
    this.#now = options.now ?? (() => new Date());
    this.#disk = options.disk ?? (() => folder.disk());
  }

  /**
   * Removes what is kept for too long, or is too much. To be called now and then.
   * @param isWanted asked right before each removal as well.
   * @param onRemove told before a whole artefact goes.
   */
  async tidy(isWanted: (sha256: string) => boolean, onRemove: (sha256: string) => void): Promise<void> {
    const now = this.#now();
    for (const { sha256 } of await this.#folder.survey('whole'))
      if (isWanted(sha256)) await this.#folder.touch(sha256, now);
    const { allBytes } = await this.#disk();
    const limits = { keepMs: this.#keepMs, mostBytes: allBytes * UNWANTED_SHARE };
    await this.#remove(expired(await this.#leftovers(isWanted), now, limits), isWanted, onRemove);
  }

  /**
   * Sees that there is room for what is missing of a wanted artefact, at the cost of what nothing wants any more.
   * @throws Problem artefact_no_room
   */
  async make(
    { sha256, name, length }: Artefact,
    isWanted: (sha256: string) => boolean,
    onRemove: (sha256: string) => void,
  ): Promise<void> {
    const needed = length - (await this.#folder.allocatedBytes(sha256));
    const lackingBytes = async (): Promise<number> => needed - (await this.#usableBytes());
    const gone = sacrificed(await this.#leftovers(isWanted), await lackingBytes());
    await this.#remove(gone, isWanted, onRemove);
    if ((await lackingBytes()) <= 0) return;
    throw problem('artefact_no_room', {
      facts: { name, neededMb: megabytes(needed), freeMb: megabytes(await this.#usableBytes()) },
    });
  }

  async #usableBytes(): Promise<number> {
    return Math.max(0, (await this.#disk()).freeBytes - RESERVE_BYTES);
  }

  /** What nothing wants and nobody reads just now: who is in the middle of it gets the rest. */
  async #leftovers(isWanted: (sha256: string) => boolean): Promise<readonly Leftover[]> {
    const inUse = await openFiles();
    const of = async (part: Leftover['part']): Promise<Leftover[]> =>
      (await this.#folder.survey(part))
        .filter(({ sha256 }) => !isWanted(sha256) && !inUse.has(sha256))
        .map(({ sha256, bytes, changedAt }) => ({ sha256, bytes, lastWantedAt: changedAt, part }));
    return [...(await of('whole')), ...(await of('partial'))];
  }

  async #remove(
    leftovers: readonly Leftover[],
    isWanted: (sha256: string) => boolean,
    onRemove: (sha256: string) => void,
  ): Promise<void> {
    for (const { sha256, bytes, part, lastWantedAt } of leftovers) {
      if (isWanted(sha256)) continue;
      if (part === 'partial') await this.#folder.discard(sha256);
      else {
        onRemove(sha256);
        await this.#folder.remove(sha256);
      }
      this.#log.info({ sha256, bytes, part, lastWantedAt }, 'artefact removed: nothing wants it any more');
    }
  }
}

/** Names of the files that this process has open (proc_pid_fd(5)): what it sends, and what it copies chunks from. */
async function openFiles(): Promise<Set<string>> {
  const folder = '/proc/self/fd';
  const links = (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => ''));
  return new Set((await Promise.all(links)).map((link) => basename(link)));
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000);
}

import { readFile, rm } from 'node:fs/promises';
import type { Artefact } from '@bootswarm/images/format';
import { availableBytes, type FetchParts, fetchToPath, heldPieces, holdingPlace } from './fetch-root.ts';
import type { Mounts } from './mounts.ts';
import { problem } from './problems.ts';
import type { Progress } from './progress.ts';

const HOLD = '/run/bootswarm/hold';

type Place = ReturnType<typeof holdingPlace>;

interface HoldParts extends FetchParts {
  readonly progress: Progress;
}

/** Where an image waits until it is unpacked: in memory, where it can be given to neighbours for as long as there is room. */
export class ImageHold {
  readonly #parts: HoldParts;
  readonly #mounts: Mounts;
  #held: { readonly path: string; readonly place: Place } | undefined;

  constructor(parts: HoldParts, mounts: Mounts) {
    this.#parts = parts;
    this.#mounts = mounts;
  }

  /**
   * Fetches an image to memory, or, where it does not fit, to the disk.
   * @param onDisk its path there. @returns where it is.
   * @throws Problem memory_short, and as fetchToPath.
   */
  async fetch(image: Artefact, onDisk: string): Promise<string> {
    const place = await placeFor(image.length);
    return this.#fetch(image, place === 'memory' ? inMemory(image) : onDisk, place);
  }

  /**
   * The pieces of a disk image in order. Neighbours give them in any order: where it fits, all of them are fetched to
   * memory first.
   */
  async piecesOf(image: Artefact): Promise<FetchParts['pieces']> {
    const { neighbours, pieces } = this.#parts;
    if (!neighbours || image.infohash === undefined || (await placeFor(image.length)) === 'disk')
      return pieces;
    const path = await this.#fetch(image, inMemory(image), 'memory');
    return (_artefact, _signal, first) => heldPieces(image, path, first);
  }

  /** It is unpacked. Neighbours go on having of it what is in memory, but not where the new system needs the room. */
  async letGo(): Promise<void> {
    if (!this.#held) return;
    const { path, place } = this.#held;
    const { neighbours, signal } = this.#parts;
    // A disk that is to be unmounted may hold no open file.
    if (place === 'disk' || (await placeFor(0)) === 'disk') await neighbours?.end();
    await rm(path);
    if (place === 'memory') await this.#mounts.detach(HOLD, signal);
    this.#held = undefined;
  }

  async #fetch(image: Artefact, path: string, place: Place): Promise<string> {
    const { progress, signal } = this.#parts;
    const { name, length } = image;
    progress.begin('fetch', `${name} of ${length} bytes to ${place}`);
    this.#held = { path, place };
    if (place === 'memory') {
      const options = `size=${length + 2 ** 20}`;
      await this.#mounts.mount('tmpfs', HOLD, { type: 'tmpfs', options }, signal);
    }
    try {
      await fetchToPath(image, path, this.#parts);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw problem('memory_short', { facts: { length, name }, cause: error });
    }
    return path;
  }
}

function inMemory({ name }: Artefact): string {
  return `${HOLD}/${name}`;
}

async function placeFor(length: number): Promise<Place> {
  return holdingPlace(length, availableBytes(await readFile('/proc/meminfo', 'utf8')));
}

import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, Sha256 } from '@bootswarm/images/format';
import { BlockWriter } from './block-writer.ts';

/** Of `st_blocks` (stat(2)). */
const BLOCK_BYTES = 512;

export interface ArtefactFile {
  readonly sha256: string;
  readonly bytes: number;
  readonly changedAt: Date;
}

/** How reading the whole of an artefact ended. Where the hash was wrong, the bytes are gone. */
export type Finish =
  | { readonly ok: true; readonly digest: Digest }
  | { readonly ok: false; readonly actualSha256: string };

/**
 * Artefacts by their SHA-256. Bytes gather under `partial/` and move to `whole/` by one rename, after their
 * hash was checked and they were flushed: what stands in `whole/` is complete and was verified.
 */
export class ArtefactFolder {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens or makes the folder. */
  static async open(folder: string): Promise<ArtefactFolder> {
    await mkdir(join(folder, 'whole'), { recursive: true });
    await mkdir(join(folder, 'partial'), { recursive: true });
    return new ArtefactFolder(folder);
  }

  /** Path of a whole artefact, whether or not it is there. */
  pathOf(sha256: string): string {
    return join(this.#folder, 'whole', sha256);
  }

  partialPathOf(sha256: string): string {
    return join(this.#folder, 'partial', sha256);
  }

  /** Bytes of a whole artefact, or undefined. */
  lengthOf(sha256: string): Promise<number | undefined> {
    return sizeOf(this.pathOf(sha256));
  }

  /** SHA-256 of every whole artefact. */
  list(): Promise<string[]> {
    return readdir(join(this.#folder, 'whole'));
  }

  /** Of the disk that it is on, in bytes. */
  async disk(): Promise<{ readonly freeBytes: number; readonly allBytes: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#folder);
    return { freeBytes: bavail * bsize, allBytes: blocks * bsize };
  }

  /** Lets a whole artefact count as changed at `time`: who keeps a folder tells by it how long it is of no use. */
  async touch(sha256: string, time: Date): Promise<void> {
    await utimes(this.pathOf(sha256), time, time);
  }

  /** Every artefact of the folder: its bytes, and when it last grew. */
  async survey(part: 'whole' | 'partial'): Promise<ArtefactFile[]> {
    const names = await readdir(join(this.#folder, part));
    const found = await Promise.all(
      names
        .filter((name) => Sha256.safeParse(name).success)
        .map(async (sha256) => {
          // One that became whole or was removed meanwhile is not there any more.
          const stats = await stat(join(this.#folder, part, sha256)).catch(() => undefined);
          return stats && { sha256, bytes: stats.size, changedAt: stats.mtime };
        }),
    );
    return found.filter((file) => file !== undefined);
  }

  /** Bytes that have gathered of an artefact that is not whole yet. */
  async receivedBytes(sha256: string): Promise<number> {
    return (await sizeOf(this.partialPathOf(sha256))) ?? 0;
  }

  /** What they take of the disk: less than that, where pieces came out of order and there are holes between them. */
  async allocatedBytes(sha256: string): Promise<number> {
    const found = await stat(this.partialPathOf(sha256)).catch(() => undefined);
    return found ? Math.min(found.size, found.blocks * BLOCK_BYTES) : 0;
  }

  /**
   * Writes `source` from byte `offset` on, which must be where the partial file ends. What came before an
   * error of `source` stays, to go on from.
   * @returns the bytes that are there now; more than `most` are never written, but counted as `most + 1`.
   */
  async append(
    sha256: string,
    offset: number,
    source: AsyncIterable<Uint8Array>,
    most: number,
  ): Promise<number> {
    await using file = await open(this.partialPathOf(sha256), offset === 0 ? 'w' : 'r+');
    const writer = new BlockWriter(file, offset);
    let at = offset;
    try {
      for await (const chunk of source) {
        if (at + chunk.length > most) return most + 1;
        await writer.add(chunk);
        at += chunk.length;
      }
    } finally {
      await writer.flush();
    }
    return at;
  }

  /** Cuts a partial artefact to its first `length` bytes. */
  async truncate(sha256: string, length: number): Promise<void> {
    await using file = await open(this.partialPathOf(sha256), 'r+');
    await file.truncate(length);
  }

  /**
   * Checks the SHA-256 of what has gathered and makes it whole. A wrong one is discarded.
   * @param known the digest, of who has hashed the bytes as they were written; otherwise they are read.
   * @throws what the disk throws; what could not be flushed is discarded as well.
   */
  async finish(sha256: string, known?: Digest): Promise<Finish> {
    const partial = this.partialPathOf(sha256);
    const digest = known ?? (await digestOf(createReadStream(partial, { highWaterMark: 1024 * 1024 })));
    if (digest.sha256 !== sha256) {
      await this.discard(sha256);
      return { ok: false, actualSha256: digest.sha256 };
    }
    try {
      await flush(partial);
    } catch (error) {
      // The system drops pages that it could not write and calls the next flush a success: nothing here can
      // be trusted to be on the disk (fsync(2), EIO and ENOSPC).
      await this.discard(sha256);
      throw error;
    }
    await rename(partial, this.pathOf(sha256));
    await flush(join(this.#folder, 'whole'));
    return { ok: true, digest };
  }

  /** Forgets what has gathered of an artefact. */
  async discard(sha256: string): Promise<void> {
    await rm(this.partialPathOf(sha256), { force: true });
  }

  /** Takes a whole artefact for one that is not, since it was found damaged or gone: what is right of it is kept. */
  async demote(sha256: string): Promise<void> {
    await rename(this.pathOf(sha256), this.partialPathOf(sha256)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  /** Removes a whole artefact. */
  async remove(sha256: string): Promise<void> {
    await rm(this.pathOf(sha256), { force: true });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function flush(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

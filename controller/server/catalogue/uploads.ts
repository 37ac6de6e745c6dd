import { problem, type Upload } from '@bootswarm/controller/contract';
import { type Digest, Digester } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import type { StateStore } from '../store/state-store.ts';

export function artefactKey(sha256: string): string {
  return `artefacts/${sha256}`;
}

/** What it needs of the folder of artefacts. */
export type UploadFolder = Pick<ArtefactFolder, 'receivedBytes' | 'append' | 'finish' | 'discard'>;

/** Takes artefacts in, piecemeal and verified, and remembers the digest of each that is whole. */
export class Uploads {
  readonly #store: StateStore;
  readonly #folder: UploadFolder;
  readonly #hashes = new RunningHashes();
  /** One writer for each artefact. */
  readonly #busy = new Set<string>();

  constructor(store: StateStore, folder: UploadFolder) {
    this.#store = store;
    this.#folder = folder;
  }

  async show(sha256: string): Promise<Upload> {
    const digest = await this.digestOf(sha256);
    if (digest) return { received: digest.length, complete: true };
    return { received: await this.#folder.receivedBytes(sha256), complete: false };
  }

  /** The digest of an artefact that is whole. */
  async digestOf(sha256: string): Promise<Digest | undefined> {
    const entry = await this.#store.get(artefactKey(sha256));
    return entry?.value as Digest | undefined;
  }

  /** @throws Problem artefact_unknown */
  async requireWhole(sha256: string): Promise<void> {
    if (!(await this.digestOf(sha256))) throw problem('artefact_unknown', { facts: { sha256 } });
  }

  /**
   * Takes bytes from `offset` on. With the last of `length` bytes the SHA-256 is checked.
   * @throws Problem upload_busy, upload_offset, upload_too_long, upload_wrong_hash
   */
  async receive(
    sha256: string,
    part: { readonly offset: number; readonly length: number; readonly bytes: AsyncIterable<Uint8Array> },
  ): Promise<Upload> {
    if (this.#busy.has(sha256)) throw problem('upload_busy');
    this.#busy.add(sha256);
    try {
      return await this.#receive(sha256, part);
    } finally {
      this.#busy.delete(sha256);
    }
  }

  /** Takes the place of the writer of those artefacts that have none: nobody sends them until it is disposed. */
  hold(sha256s: Iterable<string>): Disposable & { readonly held: readonly string[] } {
    const held = Array.from(sha256s).filter((sha256) => !this.#busy.has(sha256));
    for (const sha256 of held) this.#busy.add(sha256);
    return {
      held,
      [Symbol.dispose]: () => {
        for (const sha256 of held) this.#busy.delete(sha256);
      },
    };
  }

  async #receive(
    sha256: string,
    { offset, length, bytes }: { offset: number; length: number; bytes: AsyncIterable<Uint8Array> },
  ): Promise<Upload> {
    const { received, complete } = await this.show(sha256);
    if (complete) return { received, complete };
    // From 0 on is always allowed: what gathered before may be damaged.
    if (offset !== received && offset !== 0) throw problem('upload_offset', { facts: { received, offset } });
    const hashed = this.#hashes.take(sha256, offset);
    const reached = await this.#folder.append(
      sha256,
      offset,
      hashed ? through(bytes, hashed) : bytes,
      length,
    );
    if (reached > length) {
      await this.#folder.discard(sha256);
      throw problem('upload_too_long', { facts: { length } });
    }
    if (reached < length) {
      if (hashed) this.#hashes.keep(sha256, hashed);
      return { received: reached, complete: false };
    }
    const finish = await this.#folder.finish(sha256, hashed?.length === length ? hashed.digest() : undefined);
    if (!finish.ok) throw problem('upload_wrong_hash', { facts: { sha256, actual: finish.actualSha256 } });
    await this.#store.commit({ put: { [artefactKey(sha256)]: finish.digest } });
    return { received: length, complete: true };
  }
}

/** Hashes bytes on their way. */
async function* through(
  bytes: AsyncIterable<Uint8Array>,
  hashed: Digester,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    hashed.update(chunk);
    yield chunk;
  }
}

/** Uploads whose hashes are kept from one request to the next. */
const MOST_RUNNING = 64;

/**
 * Hashes of uploads that go on, so that no byte is read again at the end. Decisions/0003: what is not here, after a
 * restart or a request that broke off, is read once it is whole.
 */
class RunningHashes {
  /** Those that were used last are the last. */
  readonly #running = new Map<string, Digester>();

  /** The hash of what came before `offset`; undefined where it is not known. It is whoever's takes it. */
  take(sha256: string, offset: number): Digester | undefined {
    const running = this.#running.get(sha256);
    this.#running.delete(sha256);
    if (offset === 0) return new Digester();
    return running?.length === offset ? running : undefined;
  }

  keep(sha256: string, hash: Digester): void {
    this.#running.set(sha256, hash);
    const [oldest] = this.#running.keys();
    if (this.#running.size > MOST_RUNNING && oldest !== undefined) this.#running.delete(oldest);
  }
}

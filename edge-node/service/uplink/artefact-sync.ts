import { type Client, type EdgeStatus, endpoints } from '@bootswarm/controller/contract';
import { type Artefact, edgeArtefacts, type Manifest } from '@bootswarm/images/format';
import {
  type ArtefactFolder,
  type ArtefactSource,
  fetchArtefact,
  isWrongHash,
} from '@bootswarm/images/swarm';
import type { Logger } from 'pino';
import { pause } from './forever.ts';

const RETRY_MS = 5_000;
/** A source that sends nothing for this long is given up. */
const STALL_MS = 30_000;

/** The controller's HTTP as a source of artefacts. */
export function controllerSource(client: Client): ArtefactSource {
  return {
    async read({ sha256 }, start, signal) {
      const stalled = new AbortController();
      const response = await client.fetch(
        endpoints.fetchArtefact,
        { params: { sha256 } },
        {
          headers: start === 0 ? {} : { range: `bytes=${start}-` },
          signal: AbortSignal.any([signal, stalled.signal]),
        },
      );
      if (!response.body) throw new Error('the controller sent no body');
      if (start > 0 && response.status !== 206) throw new Error('the controller ignored the range');
      return watched(response.body, stalled);
    },
  };
}

async function* watched(
  body: ReadableStream<Uint8Array>,
  stalled: AbortController,
): AsyncGenerator<Uint8Array> {
  const giveUp = (): void => stalled.abort(new Error(`nothing came for ${STALL_MS / 1000} s`));
  let timer = setTimeout(giveUp, STALL_MS);
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk;
      timer = setTimeout(giveUp, STALL_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Brings the artefacts of the wanted releases here, one after the other, and knows which are ready. */
export class ArtefactSync {
  readonly #folder: ArtefactFolder;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #ready = new Set<string>();
  /** By SHA-256: why an artefact is not ready. */
  readonly #waiting = new Map<string, string>();
  /** Of those that wait: by SHA-256, whose bytes came last with another one. */
  readonly #corrupt = new Set<string>();
  readonly #retryMs: number;
  #wanted: readonly Artefact[] = [];
  #wake = (): void => {};

  private constructor(folder: ArtefactFolder, log: Logger, onChange: () => void, retryMs: number) {
    this.#folder = folder;
    this.#log = log;
    this.#onChange = onChange;
    this.#retryMs = retryMs;
  }

  /** Takes what the folder holds: it was verified before it got there. @param onChange told when `status` changes. */
  static async open(
    folder: ArtefactFolder,
    log: Logger,
    onChange: () => void,
    retryMs = RETRY_MS,
  ): Promise<ArtefactSync> {
    const sync = new ArtefactSync(folder, log, onChange, retryMs);
    for (const sha256 of await folder.list()) sync.#ready.add(sha256);
    return sync;
  }

  isReady(sha256: string): boolean {
    return this.#ready.has(sha256);
  }

  /** Whether its bytes came last with another SHA-256 than the manifest's. */
  isCorrupt(sha256: string): boolean {
    return this.#corrupt.has(sha256);
  }

  get status(): Pick<EdgeStatus, 'ready' | 'waiting'> {
    return {
      ready: [...this.#ready],
      waiting: Array.from(this.#waiting, ([sha256, reason]) => ({ sha256, reason })),
    };
  }

  /** Says what is wanted from now on. */
  want(releases: readonly Manifest[]): void {
    this.#wanted = releases.flatMap(edgeArtefacts);
    const wanted = new Set(this.#wanted.map(({ sha256 }) => sha256));
    for (const sha256 of this.#waiting.keys()) if (!wanted.has(sha256)) this.#waiting.delete(sha256);
    for (const { sha256 } of this.#wanted)
      if (!this.#ready.has(sha256) && !this.#waiting.has(sha256))
        this.#waiting.set(sha256, 'not fetched yet');
    this.#onChange();
    this.#wake();
  }

  /** Fetches until `signal` ends it. One that fails lets the others go first and is tried again. */
  async run(source: ArtefactSource, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      // Made before the look around, so that nothing wanted meanwhile is slept over.
      const woken = this.#nextWake();
      let failed = false;
      for (const artefact of this.#missing()) {
        if (signal.aborted) return;
        if (!this.#isWanted(artefact.sha256)) continue;
        failed = !(await this.#fetch(artefact, source, signal)) || failed;
      }
      if (signal.aborted) return;
      if (failed) await Promise.race([woken, pause(this.#retryMs, signal)]);
      else if (this.#missing().length === 0) await woken;
    }
  }

  #isWanted(wanted: string): boolean {
    return this.#wanted.some(({ sha256 }) => sha256 === wanted);
  }

  #missing(): readonly Artefact[] {
    return this.#wanted.filter(({ sha256 }) => !this.#ready.has(sha256));
  }

  async #fetch(artefact: Artefact, source: ArtefactSource, signal: AbortSignal): Promise<boolean> {
    const { sha256, name, length } = artefact;
    try {
      await fetchArtefact(artefact, { folder: this.#folder, source, signal });
      this.#ready.add(sha256);
      this.#waiting.delete(sha256);
      this.#corrupt.delete(sha256);
      this.#log.info({ sha256, name, bytes: length }, 'artefact verified and ready');
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#isWanted(sha256)) this.#waiting.set(sha256, reason.slice(0, 500));
      if (isWrongHash(error)) this.#corrupt.add(sha256);
      else this.#corrupt.delete(sha256);
      this.#log.warn({ sha256, name, err: error }, 'artefact not fetched; trying again');
      return false;
    } finally {
      this.#onChange();
    }
  }

  #nextWake(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }
}

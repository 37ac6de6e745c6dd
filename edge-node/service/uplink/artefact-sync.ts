import { type Client, type EdgeStatus, endpoints } from '@bootswarm/controller/contract';
import { type Artefact, edgeArtefacts, findArtefact, type Manifest } from '@bootswarm/images/format';
import {
  type ArtefactFolder,
  type ArtefactSource,
  type Fetched,
  type FetchOptions,
  fetchArtefact,
  isWrongHash,
} from '@bootswarm/images/swarm';
import type { Logger } from 'pino';
import { ArtefactAudit } from './artefact-audit.ts';
import { ArtefactRoom } from './artefact-room.ts';
import { forever, pause } from './forever.ts';

const RETRY_MS = 5_000;
/** How often it is looked after what nothing wants any more. */
const TIDY_MS = 600_000;
/** A source that sends nothing for this long is given up. */
const STALL_MS = 30_000;

/** The controller's HTTP as a source of artefacts. */
export function controllerSource(client: Client): ArtefactSource {
  return {
    async read({ sha256, length }, { start, end }, signal) {
      const isPart = start > 0 || end < length;
      const stalled = new AbortController();
      const response = await client.fetch(
        endpoints.fetchArtefact,
        { params: { sha256 } },
        {
          headers: isPart ? { range: `bytes=${start}-${end - 1}` } : {},
          signal: AbortSignal.any([signal, stalled.signal]),
        },
      );
      if (!response.body) throw new Error('the controller sent no body');
      if (isPart && response.status !== 206) throw new Error('the controller ignored the range');
      // Taken at once: a body that nobody reads yet ends empty when its response is collected as garbage.
      return watched(response.body.values(), stalled);
    },
  };
}

async function* watched(
  body: AsyncIterable<Uint8Array>,
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

interface WantedArtefact extends Artefact {
  /** SHA-256 of its chunk index, where it has one. */
  readonly chunks?: string;
}

/** What an edge holds of a release. The index comes before the root, so that it can be put together by it. */
function wantedOf(manifest: Manifest): WantedArtefact[] {
  const chunks = findArtefact(manifest, 'chunks');
  const wanted = edgeArtefacts(manifest).filter((artefact) => artefact !== chunks);
  if (!chunks) return wanted;
  return [
    chunks,
    ...wanted.map((artefact) =>
      artefact.role === 'root' ? { ...artefact, chunks: chunks.sha256 } : artefact,
    ),
  ];
}

export interface SyncOptions {
  readonly folder: ArtefactFolder;
  readonly log: Logger;
  /** Told when `status` changes. */
  readonly onChange: () => void;
  readonly room?: ArtefactRoom;
  /** How an artefact is brought here; by the source's HTTP alone unless said. */
  readonly fetch?: (artefact: Artefact, options: FetchOptions) => Promise<Fetched>;
  readonly retryMs?: number;
  /** How long it waits between two pieces of which it sees that they are as attested. */
  readonly auditMs?: number;
}

/** Brings the artefacts of the wanted releases here, one after the other, and knows which are ready. */
export class ArtefactSync {
  readonly #folder: ArtefactFolder;
  readonly #room: ArtefactRoom;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #ready = new Set<string>();
  /** By SHA-256: why an artefact is not ready. */
  readonly #waiting = new Map<string, string>();
  /** Of those that wait: by SHA-256, whose bytes came last with another one. */
  readonly #corrupt = new Set<string>();
  readonly #retryMs: number;
  readonly #audit: ArtefactAudit;
  readonly #fetchOne: NonNullable<SyncOptions['fetch']>;
  #wanted: readonly WantedArtefact[] = [];
  readonly #moved = { fetched: 0, reused: 0 };
  /** Nothing is removed before it is known what is wanted. */
  #tidyAt = Number.POSITIVE_INFINITY;
  #wake = (): void => {};

  private constructor({ folder, log, onChange, room, fetch, auditMs, retryMs = RETRY_MS }: SyncOptions) {
    this.#folder = folder;
    this.#log = log;
    this.#onChange = onChange;
    this.#room = room ?? new ArtefactRoom(folder, log);
    this.#retryMs = retryMs;
    this.#fetchOne = fetch ?? fetchArtefact;
    this.#audit = new ArtefactAudit({
      folder,
      attested: () => this.#attested(),
      onLost: (artefact, why) => this.#lose(artefact, why),
      ...(auditMs === undefined ? {} : { pieceMs: auditMs }),
    });
  }

  /** Takes what the folder holds: it was verified before it got there. */
  static async open(options: SyncOptions): Promise<ArtefactSync> {
    const sync = new ArtefactSync(options);
    for (const sha256 of await options.folder.list()) sync.#ready.add(sha256);
    return sync;
  }

  isReady(sha256: string): boolean {
    return this.#ready.has(sha256);
  }

  /** Whether its bytes came last with another SHA-256 than the manifest's. */
  isCorrupt(sha256: string): boolean {
    return this.#corrupt.has(sha256);
  }

  get status(): Pick<EdgeStatus, 'ready' | 'waiting' | 'transfer'> {
    return {
      transfer: { fetchedBytes: this.#moved.fetched, reusedBytes: this.#moved.reused },
      ready: [...this.#ready],
      waiting: Array.from(this.#waiting, ([sha256, reason]) => ({ sha256, reason })),
    };
  }

  /** Says what is wanted from now on, and most first. */
  want(releases: readonly Manifest[]): void {
    this.#wanted = releases.flatMap(wantedOf);
    const wanted = new Set(this.#wanted.map(({ sha256 }) => sha256));
    for (const sha256 of this.#waiting.keys()) if (!wanted.has(sha256)) this.#waiting.delete(sha256);
    for (const { sha256 } of this.#wanted)
      if (!this.#ready.has(sha256) && !this.#waiting.has(sha256))
        this.#waiting.set(sha256, 'not fetched yet');
    this.#tidyAt = 0;
    this.#onChange();
    this.#wake();
  }

  /**
   * Fetches until `signal` ends it. One that fails lets the others go first and is tried again; one that is no longer as
   * it was attested is fetched anew.
   */
  async run(source: ArtefactSource, signal: AbortSignal): Promise<void> {
    const audit = (): Promise<void> => this.#audit.run(signal);
    await Promise.all([this.#fetchAll(source, signal), forever('audit', signal, this.#log, audit)]);
  }

  async #fetchAll(source: ArtefactSource, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      // Made before the look around, so that nothing wanted meanwhile is slept over.
      const woken = this.#nextWake();
      await this.#tidy();
      let failed = false;
      for (const artefact of this.#missing()) {
        if (signal.aborted) return;
        if (!this.#isWanted(artefact.sha256)) continue;
        failed = !(await this.#fetch(artefact, source, signal)) || failed;
      }
      if (signal.aborted) return;
      if (failed) await Promise.race([woken, pause(this.#retryMs, signal)]);
      else if (this.#missing().length === 0) await Promise.race([woken, pause(TIDY_MS, signal)]);
    }
  }

  async #tidy(): Promise<void> {
    if (Date.now() < this.#tidyAt) return;
    this.#tidyAt = Date.now() + TIDY_MS;
    try {
      await this.#room.tidy(this.#isWanted, this.#forget);
    } catch (error) {
      this.#log.warn({ err: error }, 'the artefacts that nothing wants could not be looked after');
    }
  }

  /** Called before its bytes go. */
  readonly #forget = (sha256: string): void => {
    this.#ready.delete(sha256);
    this.#onChange();
  };

  async #lose({ sha256, name }: Artefact, why: string): Promise<void> {
    // First nobody is sent to it any more.
    this.#ready.delete(sha256);
    this.#waiting.set(sha256, why);
    this.#onChange();
    this.#log.error({ sha256, name, why }, 'an artefact is not as it was attested; fetching it again');
    await this.#folder.demote(sha256);
    this.#wake();
  }

  /** Of what is wanted, each once: releases share artefacts. */
  #attested(): readonly Artefact[] {
    const ready = this.#wanted.filter(({ sha256 }) => this.#ready.has(sha256));
    return [...new Map(ready.map((artefact) => [artefact.sha256, artefact])).values()];
  }

  readonly #isWanted = (wanted: string): boolean => this.#wanted.some(({ sha256 }) => sha256 === wanted);

  #missing(): readonly WantedArtefact[] {
    return this.#wanted.filter(({ sha256 }) => !this.#ready.has(sha256));
  }

  async #fetch(artefact: WantedArtefact, source: ArtefactSource, signal: AbortSignal): Promise<boolean> {
    const { sha256, name, length, chunks } = artefact;
    try {
      await this.#room.make(artefact, this.#isWanted, this.#forget);
      const { fetchedBytes, reusedBytes, keptBytes } = await this.#fetchOne(artefact, {
        folder: this.#folder,
        source,
        chunks,
        signal,
        onMoved: (how, bytes) => {
          this.#moved[how] += bytes;
        },
      });
      this.#ready.add(sha256);
      this.#waiting.delete(sha256);
      this.#corrupt.delete(sha256);
      this.#log.info(
        { sha256, name, bytes: length, fetchedBytes, reusedBytes, keptBytes },
        'artefact verified and ready',
      );
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

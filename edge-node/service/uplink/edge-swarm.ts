import { type Artefact, edgeArtefacts, type Manifest } from '@bootswarm/images/format';
import {
  type ArtefactFolder,
  type ArtefactSource,
  type Fetched,
  type FetchOptions,
  FilePieces,
  fetchArtefact,
  fetchBySwarm,
  lackOf,
  type RateBuckets,
  type Swarm,
  SwarmNode,
  type SwarmOptions,
  TokenBucket,
  throttled,
} from '@bootswarm/images/swarm';
import type { Logger } from 'pino';
import { isBetterByRanges } from '../decide/way-to-fetch.ts';
import { problem } from '../problems.ts';
import { type DirectoryParts, EdgeDirectory, type Holdings } from './edge-directory.ts';

/** Edges that are connected may be slow to begin, and by HTTP the controller gives a copy to each. */
const WEBSEED_AFTER_MS = 20_000;
/** Edges that fetch of one artefact here at once. */
const SLOTS = 4;
/** How often the cap is looked up: a window begins and ends within so long. */
const CAP_MS = 5000;

export interface EdgeSwarmParts {
  /** TCP; 0 for one that is free. */
  readonly port: number;
  readonly folder: ArtefactFolder;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  readonly log: Logger;
}

interface Given {
  readonly swarm: Swarm;
  readonly store: FilePieces;
}

/** What is being fetched; by a swarm once it is joined. */
interface Fetching {
  swarm?: Swarm;
}

/**
 * The swarm between edges: what has an infohash comes from the controller's port, from other edges, and by HTTP where
 * these give nothing; what is here is given to other edges, from its first piece on. The controller tells who the others
 * are; nobody else is let in. Machines have a port of their own (service/swarm/seeds.ts), since to them this is the edge.
 */
export class EdgeSwarm {
  readonly #parts: EdgeSwarmParts;
  readonly #buckets: RateBuckets;
  #node: SwarmNode | undefined;
  #directory: EdgeDirectory | undefined;
  /** By SHA-256: what the desired state names. */
  #wanted: ReadonlyMap<string, Artefact> = new Map();
  readonly #given = new Map<string, Given>();
  readonly #fetching = new Map<string, Fetching>();
  #changing: Promise<void> = Promise.resolve();
  #cap: number | undefined;

  private constructor(parts: EdgeSwarmParts) {
    this.#parts = parts;
    const nowMs = performance.now();
    this.#buckets = {
      upload: new TokenBucket(undefined, nowMs),
      download: new TokenBucket(undefined, nowMs),
    };
  }

  /** @throws Problem port_in_use */
  static async start(parts: EdgeSwarmParts): Promise<EdgeSwarm> {
    const swarm = new EdgeSwarm(parts);
    const { port } = parts;
    try {
      const isAllowed = (address: string): boolean => swarm.#directory?.isAllowed(address) ?? false;
      swarm.#node = await SwarmNode.listen({ port, isAllowed });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      const orElse = ', or choose another with --edges-port';
      const facts = { protocol: 'TCP', port, address: 'any address', orElse };
      throw problem('port_in_use', { facts, cause: error });
    }
    return swarm;
  }

  get port(): number {
    return this.#node?.port ?? 0;
  }

  /** Gives what is of these releases to other edges, from now on. */
  follow(releases: readonly Manifest[]): void {
    const artefacts = releases.flatMap(edgeArtefacts).filter(({ infohash }) => infohash !== undefined);
    this.#wanted = new Map(artefacts.map((artefact) => [artefact.sha256, artefact]));
    this.look();
  }

  /** Something has become whole here, or is so no more. */
  look(): void {
    this.#changing = this.#changing.then(() => this.#change());
  }

  /** Follows the controller's word on who the others are, until `signal` ends it. */
  async run(parts: Omit<DirectoryParts, 'port' | 'log'>, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    this.#directory = new EdgeDirectory(
      { ...parts, port: this.port, log },
      () => this.#holdings(),
      () => this.#onAnswer(),
    );
    const timer = setInterval(() => this.#applyCap(), CAP_MS);
    try {
      await this.#directory.run(signal);
    } finally {
      clearInterval(timer);
      this.#directory = undefined;
    }
  }

  /** Fetches as `fetchArtefact` does, in whichever way costs the controller least. @throws what that throws. */
  async fetch(artefact: Artefact, options: FetchOptions): Promise<Fetched> {
    const source = throttled(options.source, this.#buckets.download);
    if (artefact.infohash === undefined || !this.#directory)
      return fetchArtefact(artefact, { ...options, source });
    const fetching: Fetching = {};
    this.#fetching.set(artefact.sha256, fetching);
    try {
      await this.#directory.ask();
      const told = this.#directory.whomToAsk(artefact.sha256);
      const isAlone =
        told === undefined ||
        (told.outside && isBetterByRanges(await lackOf(artefact, options), told.fetchers));
      if (isAlone) return await fetchArtefact(artefact, { ...options, source });
      return await this.#fetchBySwarm(artefact, { ...options, source }, fetching);
    } finally {
      this.#fetching.delete(artefact.sha256);
    }
  }

  async stop(): Promise<void> {
    this.#wanted = new Map();
    this.look();
    await this.#changing;
    await this.#node?.stop();
  }

  async #fetchBySwarm(artefact: Artefact, options: FetchOptions, fetching: Fetching): Promise<Fetched> {
    let webseedError: Error | undefined;
    const { fetched, store } = await fetchBySwarm(artefact, {
      ...options,
      webseedError: () => webseedError,
      join: (pieces) => {
        fetching.swarm = this.#join(artefact, pieces, {
          webseed: this.#inTurn(options.source),
          webseedAfterMs: WEBSEED_AFTER_MS,
          onWebseedFailed: (error) => {
            webseedError = error;
          },
        });
        this.#introduce(artefact.sha256, fetching.swarm);
        return fetching.swarm;
      },
    });
    if (fetching.swarm) this.#given.set(artefact.sha256, { swarm: fetching.swarm, store });
    return fetched;
  }

  #join(artefact: Artefact, store: FilePieces, options: SwarmOptions): Swarm {
    const { infohash = '' } = artefact;
    if (!this.#node) throw new TypeError('not started');
    return this.#node.join(artefact, infohash, store, {
      ...options,
      buckets: this.#buckets,
      isNear: (address) => this.#directory?.isNear(address) ?? false,
      slots: SLOTS,
    });
  }

  /** The controller's HTTP, where no other edge fetches for this one's site. */
  #inTurn(source: ArtefactSource): ArtefactSource {
    return {
      read: async (artefact, range, signal) => {
        const told = this.#directory?.whomToAsk(artefact.sha256);
        if (told && !told.outside)
          throw new Error(`edge ${told.by ?? 'of this site'} fetches it for this site`);
        return source.read(artefact, range, signal);
      },
    };
  }

  #holdings(): Holdings {
    const has = Array.from(this.#wanted.keys()).filter((sha256) => this.#parts.isReady(sha256));
    const fetching = Array.from(this.#fetching, ([sha256, { swarm }]) => ({
      sha256,
      bytes: swarm ? swarm.stats().pieces * swarm.artefact.pieceBytes : 0,
    }));
    return { has, fetching };
  }

  #onAnswer(): void {
    this.#applyCap();
    for (const [sha256, { swarm }] of this.#fetching) if (swarm) this.#introduce(sha256, swarm);
  }

  #introduce(sha256: string, swarm: Swarm): void {
    const told = this.#directory?.whomToAsk(sha256);
    if (!told) return;
    // Another fetches for this site now: what comes from outside comes by that one.
    if (!told.outside) swarm.dropPeers((address) => !(this.#directory?.isNear(address) ?? false));
    const controller = told.outside ? this.#directory?.controller : undefined;
    const peers = told.peers.map(({ address, port }) => ({ host: address, port }));
    swarm.addPeers(controller ? [controller, ...peers] : peers);
  }

  #applyCap(): void {
    const cap = this.#directory?.capAt(new Date());
    if (cap === this.#cap) return;
    this.#cap = cap;
    const nowMs = performance.now();
    for (const bucket of Object.values(this.#buckets)) bucket.limit(cap, nowMs);
    this.#parts.log.info({ bytesPerSecond: cap ?? 'no cap' }, 'the cap of this site changed');
  }

  async #change(): Promise<void> {
    const { isReady } = this.#parts;
    for (const [sha256, { swarm, store }] of this.#given) {
      if (this.#wanted.has(sha256) && (isReady(sha256) || this.#fetching.has(sha256)) && !swarm.isLeft)
        continue;
      this.#given.delete(sha256);
      swarm.leave();
      await store[Symbol.asyncDispose]();
    }
    for (const artefact of this.#wanted.values())
      if (isReady(artefact.sha256) && !this.#given.has(artefact.sha256)) await this.#give(artefact);
  }

  async #give(artefact: Artefact): Promise<void> {
    const { folder, log } = this.#parts;
    const { sha256, name } = artefact;
    try {
      const store = await FilePieces.whole(artefact, folder.pathOf(sha256));
      this.#given.set(sha256, { swarm: this.#join(artefact, store, {}), store });
    } catch (error) {
      // Edges have it from elsewhere; with the next change it is tried again.
      log.warn({ sha256, name, err: error }, 'an artefact cannot be given to other edges');
    }
  }
}

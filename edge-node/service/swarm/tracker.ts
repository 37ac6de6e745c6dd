import { ipv4ToNumber } from '@bootswarm/controller/contract';
import {
  type Announce,
  AnnounceUnreadable,
  compactPeers,
  edgeArtefacts,
  encodeAnnounceAnswer,
  type Manifest,
  parseAnnounce,
} from '@bootswarm/images/format';
import { handOut } from './hand-out.ts';
import { announceSeconds, forgetAfterSeconds } from './interval.ts';
import { problem } from './problems.ts';
import { type Endpoint, SwarmPeers } from './swarm-peers.ts';

/** Sooner than this nothing new is to be had. */
const MIN_INTERVAL_SECONDS = 15;
/** How often peers are forgotten. */
const LOOK_MS = 10_000;
/** A peer takes about 400 bytes. */
const MOST_PEERS = 65_536;

export interface TrackerParts {
  /** Name of the segment of this edge that has an address. */
  readonly segmentOf: (address: string) => string | undefined;
  /** TCP port at which this edge seeds the artefact of a SHA-256, where it does. */
  readonly seedPortOf: (sha256: string) => number | undefined;
  /** Of all swarms together; whoever comes beyond them is told of others, and nobody of it. */
  readonly mostPeers?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock?: () => number;
  /** A whole number from 0 to below what it is given. */
  readonly random?: (below: number) => number;
}

/** Of a connection, both ends dotted. */
export interface Announcer {
  readonly address: string;
  /** At which it reached this edge. */
  readonly edgeAddress: string;
}

/**
 * Tells the machines of a segment of each other (BEP 3). It knows what it was told within the last minutes, and keeps
 * none of it: after a restart every peer is known again within an interval.
 */
export class Tracker {
  readonly #parts: Required<TrackerParts>;
  /** SHA-256 by infohash, of what the releases here hold. */
  #catalogue: ReadonlyMap<string, string> = new Map();
  /** By `INFOHASH SEGMENT`. */
  readonly #swarms = new Map<string, SwarmPeers>();
  #peers = 0;
  #lookAtMs = 0;

  constructor(parts: TrackerParts) {
    this.#parts = {
      mostPeers: MOST_PEERS,
      clock: () => performance.now(),
      random: (below) => Math.floor(Math.random() * below),
      ...parts,
    };
  }

  /** Answers for the swarms of these releases alone, from now on. */
  follow(releases: readonly Manifest[]): void {
    this.#catalogue = new Map(
      releases
        .flatMap(edgeArtefacts)
        .flatMap(({ infohash, sha256 }) => (infohash === undefined ? [] : [[infohash, sha256] as const])),
    );
    this.#look(this.#parts.clock());
  }

  /** Peers that are remembered now, of all swarms. */
  get peers(): number {
    return this.#peers;
  }

  /**
   * Remembers a peer of its segment and tells it of others.
   * @param query as it was sent, without `?`.
   * @returns the body of the answer, bencoded.
   * @throws Problem announce_from_outside, announce_unreadable, swarm_unknown
   */
  announce(query: string, { address, edgeAddress }: Announcer): Uint8Array {
    const segment = this.#parts.segmentOf(address);
    if (segment === undefined) throw problem('announce_from_outside', { facts: { address } });
    const { infohash, port, left, event, wantedPeers } = readAnnounce(query);
    const sha256 = this.#catalogue.get(infohash);
    if (sha256 === undefined) throw problem('swarm_unknown', { facts: { infohash } });

    const nowMs = this.#parts.clock();
    if (nowMs >= this.#lookAtMs) this.#look(nowMs);
    const swarm = this.#swarmOf(infohash, segment);
    const intervalSeconds = announceSeconds(swarm.size);
    const endpoint = { address: ipv4ToNumber(address), port };
    const isFinished = left === 0;
    const hasStopped = event === 'stopped';
    const forgetAtMs = nowMs + forgetAfterSeconds(intervalSeconds) * 1000;
    this.#remember(swarm, endpoint, hasStopped ? undefined : { isFinished, forgetAtMs });

    const edge = this.#seederAt(edgeAddress, sha256);
    const wants = hasStopped ? 0 : wantedPeers;
    const asker = { isFinished, place: swarm.find(endpoint)?.place, wants };
    return encodeAnnounceAnswer({
      intervalSeconds,
      minIntervalSeconds: MIN_INTERVAL_SECONDS,
      complete: swarm.finished.count + (edge ? 1 : 0),
      incomplete: swarm.fetching.count,
      peers: handOut(swarm, asker, edge, this.#parts.random),
    });
  }

  /** @param as undefined where it leaves. */
  #remember(
    swarm: SwarmPeers,
    endpoint: Endpoint,
    as: { readonly isFinished: boolean; readonly forgetAtMs: number } | undefined,
  ): void {
    const before = swarm.size;
    if (as) swarm.announce(endpoint, as.isFinished, as.forgetAtMs, this.#peers < this.#parts.mostPeers);
    else swarm.leave(endpoint);
    this.#peers += swarm.size - before;
  }

  /** This edge as a peer, compact, where it seeds. */
  #seederAt(address: string, sha256: string): Uint8Array | undefined {
    const port = this.#parts.seedPortOf(sha256);
    return port === undefined ? undefined : compactPeers([{ host: address, port }]);
  }

  #swarmOf(infohash: string, segment: string): SwarmPeers {
    const key = `${infohash} ${segment}`;
    const swarm = this.#swarms.get(key) ?? new SwarmPeers();
    this.#swarms.set(key, swarm);
    return swarm;
  }

  /** Forgets peers of which nothing was heard, and swarms without any or that nothing here names any more. */
  #look(nowMs: number): void {
    this.#lookAtMs = nowMs + LOOK_MS;
    this.#peers = 0;
    for (const [key, swarm] of this.#swarms) {
      swarm.forget(nowMs);
      const [infohash = ''] = key.split(' ');
      if (swarm.size === 0 || !this.#catalogue.has(infohash)) this.#swarms.delete(key);
      else this.#peers += swarm.size;
    }
  }
}

function readAnnounce(query: string): Announce {
  try {
    return parseAnnounce(query);
  } catch (error) {
    if (!(error instanceof AnnounceUnreadable)) throw error;
    throw problem('announce_unreadable', { facts: { reason: error.message }, cause: error });
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { isHostOf, parseSubnet, type SwarmProgress, type SwarmTerms } from '@bootswarm/controller/contract';
import type { Artefact } from '@bootswarm/images/format';
import { FilePieces, keepAnnouncing, type Swarm, SwarmNode } from '@bootswarm/images/swarm';
import { getBytes } from '../edge-bytes.ts';
import { artefactUrl } from '../release-fetch.ts';
import { fetchingPeers, isSpared, type Patience } from './spare.ts';

const LOOK_MS = 250;
/** Without a piece for so long, from peers or by HTTP, the swarm is given up: plain HTTP tells what is wrong. */
const STALL_MS = 60_000;
const SILENCE_MOST_MS = 30_000;
/** Neighbours that are connected may be slow to begin: the edge's HTTP has a copy for each machine. */
const WEBSEED_AFTER_MS = 7_000;

export interface MachineSwarmParts {
  readonly terms: SwarmTerms;
  readonly edgeUrl: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What a machine shares with the others of its segment: what it fetches, and then has. */
export class MachineSwarm implements AsyncDisposable {
  readonly #parts: MachineSwarmParts;
  readonly #node: SwarmNode;
  readonly #ended = new AbortController();
  #current: { readonly swarm: Swarm; readonly pieces: FilePieces } | undefined;
  #announcing: Promise<void> = Promise.resolve();

  private constructor(parts: MachineSwarmParts, node: SwarmNode) {
    this.#parts = parts;
    this.#node = node;
  }

  /** @throws where it cannot listen. */
  static async open(parts: MachineSwarmParts): Promise<MachineSwarm> {
    const { subnet, edge } = parts.terms;
    const node = await SwarmNode.listen({ isAllowed: neighbours(subnet, edge) });
    return new MachineSwarm(parts, node);
  }

  /**
   * Fetches an artefact to a file, every piece verified and where it belongs, and gives it until this is ended. What the
   * file holds already is not fetched again.
   * @returns false where nothing more came: what is there is right, and has gaps.
   * @throws what the disk throws; the signal's reason.
   */
  async fetch(
    artefact: Artefact,
    path: string,
    onBytes: (done: number, total: number) => void,
  ): Promise<boolean> {
    const { say } = this.#parts;
    const swarm = this.#join(
      artefact,
      await FilePieces.resume(artefact, path, { signal: this.#parts.signal }),
    );
    const { pieceBytes, length } = artefact;
    let [pieces, sinceMs] = [-1, performance.now()];
    let isWhole = false;
    const done = swarm.completed.then(() => {
      isWhole = true;
    });
    // Told by the loop below, while it runs.
    done.catch(() => {});
    for (;;) {
      const stats = swarm.stats();
      if (stats.pieces !== pieces) {
        [pieces, sinceMs] = [stats.pieces, performance.now()];
        onBytes(Math.min(pieces * pieceBytes, length), length);
      }
      if (isWhole) break;
      if (performance.now() - sinceMs > STALL_MS) {
        say(
          `nothing came of ${artefact.name} for ${STALL_MS / 1000} s, from ${stats.peers.length} peers or by HTTP`,
        );
        await this.end();
        return false;
      }
      await Promise.race([done, sleep(LOOK_MS)]);
    }
    const { fromNeighbours, fromEdge, fromHttp } = this.progress ?? NOTHING;
    say(
      `${artefact.name} came from neighbours (${fromNeighbours} bytes), the edge (${fromEdge}) and by HTTP (${fromHttp})`,
    );
    return true;
  }

  /** Gives an artefact of which the file holds all, until this is ended. @throws what the disk throws. */
  async give(artefact: Artefact, path: string): Promise<void> {
    this.#join(artefact, await FilePieces.whole(artefact, path));
  }

  /** Of what is fetched, or given; undefined where nothing is. */
  get progress(): SwarmProgress | undefined {
    const stats = this.#current?.swarm.stats();
    if (!stats) return undefined;
    const { fromEdge, fromWebseed } = stats;
    return {
      peers: stats.peers.length,
      fromNeighbours: Math.max(0, stats.downloaded - fromEdge - fromWebseed),
      fromEdge,
      fromHttp: fromWebseed,
      given: stats.uploaded,
      downloadRate: Math.round(stats.downloadRate),
      uploadRate: Math.round(stats.uploadRate),
      banned: stats.banned.slice(0, 64),
    };
  }

  /** Resolves once no neighbour needs this machine any more. @param onWait told how many there are, each time that changes. */
  async untilSpared(
    patience: Patience,
    signal: AbortSignal,
    onWait: (fetching: number) => void,
  ): Promise<void> {
    const beganMs = performance.now();
    let [given, givenMs, told] = [-1, beganMs, 0];
    for (let swarm = this.#current?.swarm; swarm && !signal.aborted; swarm = this.#current?.swarm) {
      const stats = swarm.stats();
      const nowMs = performance.now();
      if (stats.uploaded !== given) [given, givenMs] = [stats.uploaded, nowMs];
      const fetching = fetchingPeers(stats);
      if (isSpared({ fetching, idleMs: nowMs - givenMs, waitedMs: nowMs - beganMs }, patience)) return;
      if (fetching !== told) onWait(fetching);
      told = fetching;
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Gives nothing any more, and holds no file open. */
  async end(): Promise<void> {
    this.#ended.abort();
    const current = this.#current;
    this.#current = undefined;
    current?.swarm.leave();
    await Promise.all([this.#announcing, this.#node.stop()]);
    await current?.pieces[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended.signal.aborted) await this.end();
  }

  #join(artefact: Artefact, pieces: FilePieces): Swarm {
    const { terms, edgeUrl, signal } = this.#parts;
    const { infohash = '', length } = artefact;
    const { uploadRate } = terms;
    const swarm = this.#node.join(artefact, infohash, pieces, {
      signal,
      webseedAfterMs: WEBSEED_AFTER_MS,
      webseed: { read: (from, range, until) => readRange(edgeUrl, from, range, until) },
      ...(uploadRate === undefined ? {} : { rateLimits: { upload: uploadRate } }),
    });
    this.#current = { swarm, pieces };
    this.#announcing = keepAnnouncing(
      {
        trackerUrl: `${edgeUrl}/announce`,
        infohash,
        peerId: this.#node.peerId,
        port: this.#node.port,
        leftBytes: () => {
          const { pieces: held, pieceCount } = swarm.stats();
          return held === pieceCount ? 0 : length - held * artefact.pieceBytes;
        },
        finished: swarm.completed,
        onPeers: (peers) => swarm.addPeers(peers),
      },
      AbortSignal.any([this.#ended.signal, signal]),
    );
    return swarm;
  }
}

const NOTHING = { fromNeighbours: 0, fromEdge: 0, fromHttp: 0 };

/** Whether an address is that of a machine of the segment, or of its edge. */
export function neighbours(subnet: string, edge: string): (address: string) => boolean {
  const network = parseSubnet(subnet);
  return (address) => address === edge || isHostOf(network, address);
}

function readRange(
  edgeUrl: string,
  artefact: Artefact,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const chunkBytes = Math.min(artefact.pieceBytes, end - start);
  return getBytes(artefactUrl(edgeUrl, artefact), {
    start,
    end,
    chunkBytes,
    signal,
    silenceMs: SILENCE_MOST_MS,
  });
}

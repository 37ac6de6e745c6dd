import { type Artefact, edgeArtefacts, type Manifest } from '@bootswarm/images/format';
import { FilePieces, type RateBuckets, type Swarm, SwarmNode, TokenBucket } from '@bootswarm/images/swarm';
import type { Logger } from 'pino';
import { problem as edgeProblem } from '../problems.ts';
import type { SeedStats } from './metrics.ts';

/** Hundreds of machines, each with a connection for an artefact. */
const MOST_CONNECTIONS = 1000;

export interface SeedsParts {
  /** TCP; 0 for one that is free. */
  readonly port: number;
  /** Bytes a second that it gives at most, all artefacts together. */
  readonly rate?: number | undefined;
  /** Whether a machine of this edge's segments has an address. */
  readonly isAllowed: (address: string) => boolean;
  readonly pathOf: (sha256: string) => string;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

interface Seed {
  readonly swarm: Swarm;
  readonly pieces: FilePieces;
}

/** What this edge gives to swarms, over one port: all that is whole here and has an infohash. */
export class Seeds {
  readonly #parts: SeedsParts;
  readonly #node: SwarmNode;
  readonly #buckets: RateBuckets;
  /** By SHA-256. */
  #wanted: ReadonlyMap<string, Artefact> = new Map();
  readonly #seeds = new Map<string, Seed>();
  #changing: Promise<void> = Promise.resolve();

  private constructor(parts: SeedsParts, node: SwarmNode) {
    this.#parts = parts;
    this.#node = node;
    const nowMs = performance.now();
    this.#buckets = {
      upload: new TokenBucket(parts.rate, nowMs),
      download: new TokenBucket(undefined, nowMs),
    };
  }

  /** @throws Problem port_in_use */
  static async start(parts: SeedsParts): Promise<Seeds> {
    const { port, isAllowed } = parts;
    try {
      return new Seeds(parts, await SwarmNode.listen({ port, isAllowed, mostConnections: MOST_CONNECTIONS }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      const facts = {
        protocol: 'TCP',
        port,
        address: 'any address',
        orElse: ', or choose another with --swarm-port',
      };
      throw edgeProblem('port_in_use', { facts, cause: error });
    }
  }

  /** Gives what is of these releases, from now on. */
  follow(releases: readonly Manifest[]): Promise<void> {
    const artefacts = releases.flatMap(edgeArtefacts).filter(({ infohash }) => infohash !== undefined);
    this.#wanted = new Map(artefacts.map((artefact) => [artefact.sha256, artefact]));
    return this.look();
  }

  /** Something has become whole here, or is so no more. Resolves when it is given, or is so no more. */
  look(): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change());
    return this.#changing;
  }

  /** At which an artefact is given; undefined where it is not. */
  portOf(sha256: string): number | undefined {
    return this.#seeds.has(sha256) ? this.#node.port : undefined;
  }

  /** Of all that is given. */
  stats(): readonly SeedStats[] {
    return [...this.#seeds.values()].map(({ swarm }) => {
      const { name, sha256 } = swarm.artefact;
      return { ...swarm.stats(), name, sha256 };
    });
  }

  async stop(): Promise<void> {
    this.#wanted = new Map();
    await this.look();
    await this.#node.stop();
  }

  async #change(): Promise<void> {
    const { isReady } = this.#parts;
    for (const [sha256, { swarm, pieces }] of this.#seeds) {
      if (this.#wanted.has(sha256) && isReady(sha256) && !swarm.isLeft) continue;
      this.#seeds.delete(sha256);
      swarm.leave();
      await pieces[Symbol.asyncDispose]();
    }
    for (const artefact of this.#wanted.values())
      if (isReady(artefact.sha256) && !this.#seeds.has(artefact.sha256)) await this.#give(artefact);
  }

  async #give(artefact: Artefact): Promise<void> {
    const { pathOf, log } = this.#parts;
    const { sha256, name, infohash = '' } = artefact;
    try {
      const pieces = await FilePieces.whole(artefact, pathOf(sha256));
      const swarm = this.#node.join(artefact, infohash, pieces, {
        isEdge: true,
        mostConnections: MOST_CONNECTIONS,
        buckets: this.#buckets,
      });
      this.#seeds.set(sha256, { swarm, pieces });
      log.info({ sha256, name, infohash, port: this.#node.port }, 'given to the swarm');
    } catch (error) {
      // Machines have it by HTTP all the same; with the next change it is tried again.
      log.warn({ sha256, name, err: error }, 'an artefact cannot be given to the swarm');
    }
  }
}

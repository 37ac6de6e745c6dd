import { type Artefact, edgeArtefacts, type Manifest } from '@bootswarm/images/format';
import { type ArtefactFolder, FilePieces, type Swarm, SwarmNode } from '@bootswarm/images/swarm';
import type { Logger } from 'pino';

/** Edges that fetch of one artefact at once: all of a few dozen, since each piece leaves here about once. */
const SLOTS = 32;
const MOST_CONNECTIONS = 1000;
/**
 * What an edge is shown ahead: less than to machines (12 MiB), so that a small image is spread over many edges. Nothing
 * is shown to two at a time: a link to another place is dearer than time.
 */
const SPREAD = { aheadBytes: 4 * 1024 * 1024, mostRepeated: 0 } as const;
/** What nobody fetched for so long is no longer given. */
const IDLE_MS = 600_000;

export interface SeedsParts {
  readonly port: number;
  readonly address: string;
  /** Whether an edge has an address. */
  readonly isAllowed: (address: string) => boolean;
  readonly folder: Pick<ArtefactFolder, 'pathOf' | 'lengthOf'>;
  readonly published: () => Promise<readonly Manifest[]>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds, rising. */
  readonly clock?: () => number;
}

interface Seed {
  readonly swarm: Swarm;
  readonly pieces: FilePieces;
  wantedAtMs: number;
}

/** What the controller gives to edges, over one port: whatever has an infohash, as soon as an edge says that it lacks it. */
export class Seeds {
  readonly #parts: SeedsParts;
  readonly #node: SwarmNode;
  readonly #clock: () => number;
  readonly #seeds = new Map<string, Promise<Seed | undefined>>();

  private constructor(parts: SeedsParts, node: SwarmNode) {
    this.#parts = parts;
    this.#node = node;
    this.#clock = parts.clock ?? (() => performance.now());
  }

  /** @throws EADDRINUSE and the like. */
  static async start(parts: SeedsParts): Promise<Seeds> {
    const { port, address, isAllowed } = parts;
    const host = address === '0.0.0.0' ? {} : { host: address };
    return new Seeds(
      parts,
      await SwarmNode.listen({ ...host, port, isAllowed, mostConnections: MOST_CONNECTIONS }),
    );
  }

  get port(): number {
    return this.#node.port;
  }

  /** Gives these from now on, those of them that were published and have an infohash. */
  async give(sha256s: readonly string[]): Promise<void> {
    await this.#leaveIdle();
    const missing = sha256s.filter((sha256) => !this.#seeds.has(sha256));
    if (missing.length > 0) {
      const artefacts = (await this.#parts.published()).flatMap(edgeArtefacts);
      for (const sha256 of missing) {
        const artefact = artefacts.find((each) => each.sha256 === sha256 && each.infohash !== undefined);
        if (artefact && !this.#seeds.has(sha256)) this.#seeds.set(sha256, this.#join(artefact));
      }
    }
    for (const sha256 of sha256s) {
      const seed = await this.#seeds.get(sha256);
      if (seed) seed.wantedAtMs = this.#clock();
    }
  }

  async stop(): Promise<void> {
    const seeds = await Promise.all(this.#seeds.values());
    this.#seeds.clear();
    await this.#node.stop();
    for (const seed of seeds) await seed?.pieces[Symbol.asyncDispose]();
  }

  async #join(artefact: Artefact): Promise<Seed | undefined> {
    const { folder, log } = this.#parts;
    const { sha256, name, infohash = '' } = artefact;
    try {
      const pieces = await FilePieces.whole(artefact, folder.pathOf(sha256));
      const swarm = this.#node.join(artefact, infohash, pieces, {
        isEdge: true,
        slots: SLOTS,
        mostConnections: MOST_CONNECTIONS,
        spread: SPREAD,
      });
      log.info({ sha256, name, infohash }, 'given to the swarm of edges');
      return { swarm, pieces, wantedAtMs: this.#clock() };
    } catch (error) {
      // Edges have it by HTTP all the same; with the next that asks it is tried again.
      log.warn({ sha256, name, err: error }, 'an artefact cannot be given to the swarm of edges');
      this.#seeds.delete(sha256);
      return undefined;
    }
  }

  async #leaveIdle(): Promise<void> {
    const nowMs = this.#clock();
    for (const [sha256, joining] of this.#seeds) {
      const seed = await joining;
      if (!seed || nowMs - seed.wantedAtMs < IDLE_MS || !this.#seeds.delete(sha256)) continue;
      seed.swarm.leave();
      await seed.pieces[Symbol.asyncDispose]();
    }
  }
}

import {
  type Client,
  type EdgeSwarmAnswer,
  type EdgeSwarmReport,
  endpoints,
  sharedRateAt,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { Endpoint } from '@bootswarm/images/swarm';
import type { Logger } from 'pino';
import { forever, pause } from './forever.ts';
import { addressOf, ownAddressTowards } from './own-address.ts';

/** How often the controller is told what this edge has and lacks: while it fetches, and otherwise. */
const BUSY_MS = 2000;
const IDLE_MS = 10_000;
/** How often one is asked that knows nothing of swarms between edges: it may be a newer one by then. */
const STRANGE_MS = 300_000;
const CALL_MS = 15_000;
const LOOPBACK = /^127\./;

/** What an edge tells of its artefacts. */
export type Holdings = Pick<EdgeSwarmReport, 'has' | 'fetching'>;

export interface DirectoryParts {
  readonly client: Client;
  /** Of the controller. */
  readonly url: string;
  /** TCP, where this edge listens for others. */
  readonly port: number;
  /** At which others reach this edge; where it is left out, the address that leads to the controller. */
  readonly ownAddress: string | undefined;
  /** In its place where the controller is on this very host. */
  readonly addresses: readonly string[];
  readonly log: Logger;
}

const NOBODY: EdgeSwarmAnswer = { edges: [], near: [], artefacts: [], rates: [], rateSharers: 1 };

/** Who is to be asked for what, as the controller told last. */
export class EdgeDirectory {
  readonly #parts: DirectoryParts;
  readonly #holdings: () => Holdings;
  readonly #onAnswer: () => void;
  #answer = NOBODY;
  #edges: ReadonlySet<string> = new Set();
  #near: ReadonlySet<string> = new Set();
  #controllerAddress: string | undefined;
  #isStrange = false;
  #hurry = (): void => {};
  /** Resolves with the answer to what is told from now on. */
  #next = Promise.withResolvers<void>();

  /** @param onAnswer told of each answer. */
  constructor(parts: DirectoryParts, holdings: () => Holdings, onAnswer: () => void) {
    this.#parts = parts;
    this.#holdings = holdings;
    this.#onAnswer = onAnswer;
  }

  /** Whether an address is that of the controller, or of an edge that it knows. */
  isAllowed(address: string): boolean {
    return address === this.#controllerAddress || this.#edges.has(address);
  }

  /** Whether an edge of the same site has it. */
  isNear(address: string): boolean {
    return this.#near.has(address);
  }

  /** Who is to be asked for an artefact that was told to be lacking; undefined where nobody but HTTP is. */
  whomToAsk(sha256: string): EdgeSwarmAnswer['artefacts'][number] | undefined {
    return this.#answer.artefacts.find((each) => each.sha256 === sha256);
  }

  /** The controller's own port of the swarm. */
  get controller(): Endpoint | undefined {
    const { controllerPort: port } = this.#answer;
    return this.#controllerAddress === undefined || port === undefined
      ? undefined
      : { host: this.#controllerAddress, port };
  }

  /** What may pass the border of this site, in bytes a second, as far as this edge goes; undefined: no cap. */
  capAt(now: Date): number | undefined {
    return sharedRateAt(this.#answer.rates, this.#answer.rateSharers, now);
  }

  /** Tells the controller at once what this edge lacks. Resolves with its answer, or when there will be none now. */
  async ask(): Promise<void> {
    if (this.#isStrange) return;
    const { promise } = this.#next;
    this.#hurry();
    await promise;
  }

  /** Tells the controller again and again, until `signal` ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#hurry();
      this.#next.resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    await forever('swarm of edges', signal, this.#parts.log, async () => {
      const hurried = new Promise<void>((resolve) => {
        this.#hurry = resolve;
      });
      const told = this.#next;
      this.#next = Promise.withResolvers();
      try {
        await this.#tell(signal);
      } finally {
        told.resolve();
      }
      const isBusy = this.#holdings().fetching.length > 0;
      const ms = this.#isStrange ? STRANGE_MS : isBusy ? BUSY_MS : IDLE_MS;
      const over = new AbortController();
      await Promise.race([hurried, pause(ms, AbortSignal.any([signal, over.signal]))]);
      over.abort();
    });
    end();
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { client, url, port, ownAddress, addresses, log } = this.#parts;
    const controllerAddress = await addressOf(url);
    const towards = await ownAddressTowards(controllerAddress);
    const [other = towards] = addresses;
    const address = ownAddress ?? (LOOPBACK.test(towards) ? other : towards);
    try {
      this.#answer = await client.call(
        endpoints.edgeSwarm,
        { body: { address, port, ...this.#holdings() } },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]) },
      );
      this.#isStrange = false;
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'route_unknown') throw error;
      if (!this.#isStrange)
        log.info('the controller knows of no swarm between edges: everything comes by HTTP');
      this.#isStrange = true;
      this.#answer = NOBODY;
    }
    this.#controllerAddress = controllerAddress;
    this.#edges = new Set(this.#answer.edges);
    this.#near = new Set(this.#answer.near);
    this.#onAnswer();
  }
}

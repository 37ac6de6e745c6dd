import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Artefact } from '@bootswarm/images/format';
import { Blame } from './blame.ts';
import type { Handshake } from './handshake.ts';
import { PeerLink } from './link.ts';
import { closeWhereOverdue, type NodeSide } from './membership.ts';
import type { Peer } from './peer.ts';
import type { PieceStore } from './piece-store.ts';
import { peerProblem } from './problems.ts';
import { Swarm } from './swarm.ts';
import type { SwarmOptions } from './swarm-options.ts';

export interface SwarmNodeOptions {
  /** Address to listen on, and to connect from; all addresses where it is left out. */
  readonly host?: string;
  /** 0, or left out: one that is free. */
  readonly port?: number;
  /** Whether a peer of this address may connect, or be connected to: the segment's machines. */
  readonly isAllowed: (address: string) => boolean;
  /** Connections of all swarms; those that did not greet yet are part of them. */
  readonly mostConnections?: number;
  readonly mostConnectionsPerAddress?: number;
}

const DEFAULT_CONNECTIONS = 400;
const DEFAULT_PER_ADDRESS = 8;
const TICK_MS = 250;
/** Who we are to other clients (BEP 20). */
const PEER_ID_PREFIX = '-BW0001-';
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/;

/** One port, and the swarms behind it. */
export class SwarmNode {
  readonly port: number;
  readonly #options: SwarmNodeOptions;
  readonly #server: Server;
  readonly #swarms = new Map<string, Swarm>();
  readonly #peerId: Buffer;
  readonly #blame = new Blame();
  readonly #links = new Map<string, number>();
  /** Links that came and did not say yet what they want, and since when. */
  readonly #greeting = new Map<PeerLink, number>();
  readonly #timer: NodeJS.Timeout;
  #linkCount = 0;
  #lastKey = 0;

  private constructor(server: Server, port: number, options: SwarmNodeOptions) {
    this.#server = server;
    this.port = port;
    this.#options = options;
    const random = randomBytes(20 - PEER_ID_PREFIX.length);
    this.#peerId = Buffer.concat([Buffer.from(PEER_ID_PREFIX, 'latin1'), random]);
    server.on('connection', (socket) => this.#onConnection(socket));
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  /** @throws EADDRINUSE and the like. */
  static async listen(options: SwarmNodeOptions): Promise<SwarmNode> {
    const server = createServer({ pauseOnConnect: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(
      { port: options.port ?? 0, ...(options.host === undefined ? {} : { host: options.host }) },
      resolve,
    );
    await promise;
    server.off('error', reject);
    const address = server.address();
    return new SwarmNode(server, typeof address === 'object' && address ? address.port : 0, options);
  }

  /**
   * Takes part in the swarm of an artefact: fetches what the store lacks, and gives what it has.
   * @param infohash 40 hexadecimal digits.
   * @throws Problem `swarm_joined` where the node is in that swarm already.
   */
  join(artefact: Artefact, infohash: string, store: PieceStore, options: SwarmOptions = {}): Swarm {
    if (this.#swarms.has(infohash)) throw peerProblem('swarm_joined', { facts: { name: artefact.name } });
    const swarm = new Swarm(artefact, Buffer.from(infohash, 'hex'), store, this.#side(infohash), options);
    if (!swarm.isLeft) this.#swarms.set(infohash, swarm);
    return swarm;
  }

  /** Addresses that gave wrong pieces in any swarm. */
  get banned(): readonly string[] {
    return this.#blame.banned;
  }

  /** Who it is to other clients (BEP 20), and to trackers. */
  get peerId(): Uint8Array {
    return this.#peerId;
  }

  /** Leaves every swarm and frees the port. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const swarm of [...this.#swarms.values()]) swarm.leave();
    for (const link of this.#greeting.keys()) link.close();
    await promise;
  }

  #side(infohash: string): NodeSide {
    return {
      peerId: this.#peerId,
      port: this.port,
      localAddress: this.#options.host,
      blame: this.#blame,
      random: Math.random,
      nextKey: () => {
        this.#lastKey += 1;
        return this.#lastKey;
      },
      hasRoom: (address) => this.#hasRoom(address),
      isAllowed: this.#options.isAllowed,
      onLink: (address, by) => this.#onLink(address, by),
      onBanned: (address) => {
        for (const swarm of this.#swarms.values()) swarm.members.ban(address);
      },
      onLeft: () => this.#swarms.delete(infohash),
    };
  }

  #onConnection(socket: Socket): void {
    const host = (socket.remoteAddress ?? '').replace(IPV4_IN_IPV6, '');
    const isWelcome = this.#options.isAllowed(host) && !this.#blame.isBanned(host) && this.#hasRoom(host);
    if (!isWelcome) {
      socket.destroy();
      return;
    }
    let swarm: Swarm | undefined;
    let peer: Peer | undefined;
    this.#onLink(host, 1);
    const link = PeerLink.accept(
      socket,
      { host, port: socket.remotePort ?? 0 },
      {
        onHandshake: (handshake) => {
          this.#greeting.delete(link);
          swarm = this.#swarmOf(handshake);
          const welcome = swarm.members.welcome(link, handshake);
          peer = welcome.peer;
          return welcome;
        },
        onClosed: () => {
          this.#greeting.delete(link);
          this.#onLink(host, -1);
          if (peer) swarm?.members.farewell(peer);
        },
      },
    );
    this.#greeting.set(link, performance.now());
  }

  /** @throws Problem `unknown_swarm`. */
  #swarmOf({ infohash }: Handshake): Swarm {
    const hex = Buffer.from(infohash).toString('hex');
    const swarm = this.#swarms.get(hex);
    if (!swarm) throw peerProblem('unknown_swarm', { facts: { infohash: hex } });
    return swarm;
  }

  #hasRoom(address: string): boolean {
    const { mostConnections = DEFAULT_CONNECTIONS, mostConnectionsPerAddress = DEFAULT_PER_ADDRESS } =
      this.#options;
    return this.#linkCount < mostConnections && (this.#links.get(address) ?? 0) < mostConnectionsPerAddress;
  }

  #onLink(address: string, by: 1 | -1): void {
    this.#linkCount += by;
    const links = (this.#links.get(address) ?? 0) + by;
    if (links === 0) this.#links.delete(address);
    else this.#links.set(address, links);
  }

  #tick(nowMs: number): void {
    for (const [link, sinceMs] of this.#greeting) closeWhereOverdue(link, sinceMs, nowMs);
    for (const swarm of this.#swarms.values()) swarm.tick(nowMs);
  }
}

import type { Blame } from './blame.ts';
import { Dialer } from './dialer.ts';
import { encodeHandshake, type Handshake } from './handshake.ts';
import { type Endpoint, PeerLink } from './link.ts';
import { Peer } from './peer.ts';
import { peerProblem } from './problems.ts';
import type { PeerKey } from './started-piece.ts';
import type { WireLimits, WireListener } from './wire.ts';

const HANDSHAKE_MS = 10_000;
/** Connections that are being made at once. */
const DIALS_AT_ONCE = 8;

/** What a swarm needs of its node. */
export interface NodeSide {
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Port of the node. */
  readonly port: number;
  /** Connections leave from this address. */
  readonly localAddress: string | undefined;
  readonly blame: Blame;
  readonly random: () => number;
  nextKey(): PeerKey;
  /** Whether one more connection with an address may be. */
  hasRoom(address: string): boolean;
  isAllowed(address: string): boolean;
  onLink(address: string, by: 1 | -1): void;
  onBanned(address: string): void;
  onLeft(): void;
}

export interface Welcome {
  readonly peer: Peer;
  readonly listener: WireListener;
  readonly limits: WireLimits;
}

export interface MembershipHost {
  /** 20 bytes. */
  readonly infohash: Uint8Array;
  readonly pieceCount: number;
  readonly mostConnections: number;
  /** Whether more peers are of use: a seed waits for those that come. */
  isLooking(): boolean;
  /** A peer is connected and greeted. */
  onPeer(peer: Peer): Omit<Welcome, 'peer'>;
  /** A peer that was connected is gone. */
  onGone(peer: Peer): void;
}

/** Who takes part in a swarm: connects to those that were named, lets in those that may, and closes the rest. */
export class Membership {
  readonly peers = new Map<PeerKey, Peer>();
  readonly #node: NodeSide;
  readonly #host: MembershipHost;
  readonly #dialer = new Dialer();
  /** Links that were begun here and not answered yet, and since when. */
  readonly #greeting = new Map<PeerLink, number>();
  #isClosed = false;

  constructor(node: NodeSide, host: MembershipHost) {
    this.#node = node;
    this.#host = host;
  }

  /** Those that are not allowed, or banned, are passed over. */
  add(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) if (this.#mayConnect(endpoint.host)) this.#dialer.add(endpoint);
  }

  /** Someone greeted. @throws Problem `peer_refused`, `peer_banned`. */
  welcome(link: PeerLink, handshake: Handshake): Welcome {
    if (!link.isOutgoing) this.#greet(link);
    const peer = new Peer(this.#node.nextKey(), link, handshake, this.#host.pieceCount, performance.now());
    this.#mustBeWelcome(peer);
    this.peers.set(peer.key, peer);
    return { peer, ...this.#host.onPeer(peer) };
  }

  farewell(peer: Peer): void {
    if (this.peers.delete(peer.key)) this.#host.onGone(peer);
  }

  /** An address was found to lie. */
  ban(address: string): void {
    this.#dialer.forget(({ host }) => host === address);
    for (const peer of this.peers.values())
      if (peer.address === address) peer.link.close(peerProblem('peer_banned', { facts: { address } }));
  }

  /** Lets go of addresses, and connects to them no more unless they are named again. */
  drop(isOut: (address: string) => boolean): void {
    this.#dialer.forget(({ host }) => isOut(host));
    for (const peer of this.peers.values())
      if (isOut(peer.address))
        peer.link.close(
          peerProblem('peer_refused', {
            facts: { address: peer.address, reason: 'it is not asked any more' },
          }),
        );
  }

  /** To be called a few times a second. */
  tick(nowMs: number): void {
    for (const [link, sinceMs] of this.#greeting) closeWhereOverdue(link, sinceMs, nowMs);
    this.dial(nowMs);
  }

  dial(nowMs: number): void {
    if (this.#isClosed || !this.#host.isLooking()) return;
    const greeting = this.#greeting.size;
    const room = Math.min(DIALS_AT_ONCE - greeting, this.#host.mostConnections - this.peers.size - greeting);
    for (const endpoint of this.#dialer.due(room, nowMs)) {
      if (this.#mayConnect(endpoint.host) && this.#node.hasRoom(endpoint.host))
        this.#connect(endpoint, nowMs);
      else this.#dialer.over(endpoint, false, nowMs);
    }
  }

  close(reason: Error): void {
    this.#isClosed = true;
    for (const link of this.#greeting.keys()) link.close(reason);
    for (const peer of this.peers.values()) peer.link.close(reason);
  }

  #connect(endpoint: Endpoint, nowMs: number): void {
    let peer: Peer | undefined;
    this.#node.onLink(endpoint.host, 1);
    const link = PeerLink.connect(endpoint, this.#node.localAddress, {
      onHandshake: (handshake) => {
        this.#greeting.delete(link);
        if (Buffer.compare(handshake.infohash, this.#host.infohash) !== 0)
          throw peerProblem('not_bittorrent');
        const welcome = this.welcome(link, handshake);
        peer = welcome.peer;
        return welcome;
      },
      onClosed: () => {
        this.#greeting.delete(link);
        this.#node.onLink(endpoint.host, -1);
        this.#dialer.over(endpoint, peer !== undefined, performance.now());
        if (peer) this.farewell(peer);
      },
    });
    this.#greeting.set(link, nowMs);
    this.#greet(link);
  }

  #greet(link: PeerLink): void {
    const { infohash } = this.#host;
    link.send(encodeHandshake({ infohash, peerId: this.#node.peerId, fast: true, extended: true }));
  }

  #mayConnect(address: string): boolean {
    return this.#node.isAllowed(address) && !this.#node.blame.isBanned(address);
  }

  #mustBeWelcome(peer: Peer): void {
    const { address } = peer;
    const refused = (reason: string): Error => peerProblem('peer_refused', { facts: { address, reason } });
    if (this.#node.blame.isBanned(address)) throw peerProblem('peer_banned', { facts: { address } });
    if (this.#isClosed) throw refused('the swarm was left');
    if (this.peers.size >= this.#host.mostConnections) throw refused('the swarm is full');
    const own = Buffer.from(this.#node.peerId).toString('latin1');
    if (peer.id === own) throw refused('it is this node itself');
    const twin = Array.from(this.peers.values()).find(({ id }) => id === peer.id);
    if (!twin) return;
    // Where both dialled at once, both keep the connection of the one whose id is less.
    const isOurs = twin.link.isOutgoing !== peer.link.isOutgoing && peer.link.isOutgoing === own < peer.id;
    // One that fell silent may be what is left of a connection that the other side knows to be gone.
    const isSilent = performance.now() - twin.link.receivedAtMs > HANDSHAKE_MS;
    const keepsNew = twin.address === address && (isOurs || isSilent);
    if (!keepsNew) throw refused('it is connected already');
    twin.link.close(refused('it is connected already'));
  }
}

/** Closes a link that should have greeted by now. */
export function closeWhereOverdue(link: PeerLink, sinceMs: number, nowMs: number): void {
  if (nowMs - sinceMs <= HANDSHAKE_MS) return;
  link.close(peerProblem('peer_silent', { facts: { seconds: HANDSHAKE_MS / 1000, state: 'handshake' } }));
}

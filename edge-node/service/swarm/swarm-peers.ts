import type { Candidates } from './hand-out.ts';
import { type Peer, PeerList } from './peer-list.ts';

/** Of one swarm: a segment's machines, with much room. */
const MOST_PEERS = 16_384;
/** Clients on one machine. Where it announces more ports, the one it announced longest ago is forgotten. */
const MOST_OF_ADDRESS = 4;

/** Where a peer is reached: IPv4 address as a number, and TCP port. */
export interface Endpoint {
  readonly address: number;
  readonly port: number;
}

/** The peers of one artefact in one segment. Knows no clock: the time is given. */
export class SwarmPeers implements Candidates {
  /** Have all of it. */
  readonly finished = new PeerList();
  /** Don't yet. */
  readonly fetching = new PeerList();
  /** By address, the peer that announced last at the end. */
  readonly #byAddress = new Map<number, Peer[]>();

  get size(): number {
    return this.finished.count + this.fetching.count;
  }

  find({ address, port }: Endpoint): Peer | undefined {
    return this.#byAddress.get(address)?.find((peer) => peer.port === port);
  }

  /**
   * Remembers a peer until then, or anew. Where the swarm is full one more is not remembered; it may ask all the same.
   * @param mayGrow whether there is room for one more elsewhere.
   */
  announce(endpoint: Endpoint, isFinished: boolean, forgetAtMs: number, mayGrow = true): void {
    const list = isFinished ? this.finished : this.fetching;
    const ofAddress = this.#byAddress.get(endpoint.address) ?? [];
    const known = ofAddress.findIndex(({ port }) => port === endpoint.port);
    if (known >= 0) {
      const [peer] = ofAddress.splice(known, 1) as [Peer];
      ofAddress.push(peer);
      peer.forgetAtMs = forgetAtMs;
      if (peer.list === list) return;
      peer.list.remove(peer);
      list.add(peer);
      return;
    }
    if (ofAddress.length >= MOST_OF_ADDRESS) {
      const [oldest] = ofAddress.splice(0, 1) as [Peer];
      oldest.list.remove(oldest);
    } else if (!mayGrow || this.size >= MOST_PEERS) return;
    const peer: Peer = { ...endpoint, forgetAtMs, list, place: 0 };
    list.add(peer);
    ofAddress.push(peer);
    this.#byAddress.set(endpoint.address, ofAddress);
  }

  leave(endpoint: Endpoint): void {
    const peer = this.find(endpoint);
    if (peer) this.#remove(peer);
  }

  /** Forgets those of which nothing was heard for too long. */
  forget(nowMs: number): void {
    for (const list of [this.finished, this.fetching])
      for (const peer of list.overdue(nowMs)) this.#remove(peer);
  }

  #remove(peer: Peer): void {
    const left = this.#byAddress.get(peer.address)?.filter((each) => each !== peer) ?? [];
    if (left.length > 0) this.#byAddress.set(peer.address, left);
    else this.#byAddress.delete(peer.address);
    peer.list.remove(peer);
  }
}

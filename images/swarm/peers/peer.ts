import { type ExtendedHandshake, UNSAID } from './extension.ts';
import type { Handshake } from './handshake.ts';
import type { PeerLink } from './link.ts';
import { type BlockRange, encodeMessage, type Message } from './messages.ts';
import { PieceSet } from './piece-set.ts';
import { peerProblem } from './problems.ts';
import { Rate } from './rate.ts';
import type { PeerKey } from './started-piece.ts';

/** Messages that lead to nothing, more than this a second over what is forgiven, close the connection. */
const MOST_NOISE = 4000;
const NOISE_FORGIVEN_PER_SECOND = 400;
/** A peer that sends less than this in some seconds does as if it sent nothing. */
const STEADY_BYTES = 16 * 1024;
/** A piece that was refused or wrong is asked of others for so long. */
const AVOID_MS = 10_000;

/** One connected peer of one swarm: what both sides said, and what moves between them. */
export class Peer {
  readonly key: PeerKey;
  readonly link: PeerLink;
  readonly id: string;
  readonly speaksFast: boolean;
  readonly speaksExtended: boolean;
  said: ExtendedHandshake = UNSAID;
  pieces: PieceSet;
  /** Whether we hold back from it, and it from us: both do at first (BEP 3). */
  isChoked = true;
  isChoking = true;
  /** Whether it wants something that we have, and we of it. */
  isInterested = false;
  isInteresting = false;
  /** When it was choked or unchoked last. */
  chokedAtMs: number;
  /** Whether it promised blocks and sent nothing for long. */
  isSnubbed = false;
  /** Whether it may have lied. */
  isSuspect = false;
  /** When it last sent what is worth waiting for, or the first block was asked for. */
  blockAtMs: number;
  /** When it was given a block last, or came. */
  takenAtMs: number;
  #blockBytesSeen = 0;
  /** Whether it said already which pieces it has. */
  hasSaidPieces = false;
  /** What it was asked for, by the byte of the artefact at which it begins. */
  readonly asked = new Map<number, BlockRange>();
  askedBytes = 0;
  /** What it was asked for and may still send, although nobody waits for it. */
  readonly late = new Set<number>();
  /** What it asks of us, in order. */
  wants: BlockRange[] = [];
  isReading = false;
  readonly down: Rate;
  readonly up: Rate;
  readonly #avoided = new Map<number, number>();
  #noise = 0;

  constructor(key: PeerKey, link: PeerLink, handshake: Handshake, pieceCount: number, nowMs: number) {
    this.key = key;
    this.link = link;
    this.id = Buffer.from(handshake.peerId).toString('latin1');
    this.speaksFast = handshake.fast;
    this.speaksExtended = handshake.extended;
    this.pieces = new PieceSet(pieceCount);
    this.chokedAtMs = nowMs;
    this.blockAtMs = nowMs;
    this.takenAtMs = nowMs;
    this.down = new Rate(nowMs);
    this.up = new Rate(nowMs);
  }

  get address(): string {
    return this.link.remote.host;
  }

  get blockBytes(): number {
    return this.said.blockBytes;
  }

  get isEdge(): boolean {
    return this.said.isEdge;
  }

  /** Bytes of a block came. A trickle does not count as sending. */
  onBlockBytes(bytes: number, nowMs: number): void {
    this.down.add(bytes);
    if (this.down.bytes - this.#blockBytesSeen < STEADY_BYTES) return;
    this.#blockBytesSeen = this.down.bytes;
    this.blockAtMs = nowMs;
  }

  send(message: Message): void {
    this.link.send(encodeMessage(message));
  }

  /** Counts a message that leads to nothing. @param weight of it. @throws Problem `too_much_noise`. */
  noise(weight = 1): void {
    this.#noise += weight;
    if (this.#noise > MOST_NOISE) throw peerProblem('too_much_noise');
  }

  forgive(seconds: number): void {
    this.#noise = Math.max(0, this.#noise - seconds * NOISE_FORGIVEN_PER_SECOND);
  }

  avoid(index: number): void {
    this.#avoided.set(index, performance.now() + AVOID_MS);
  }

  avoids(index: number): boolean {
    const until = this.#avoided.get(index);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#avoided.delete(index);
    return false;
  }
}

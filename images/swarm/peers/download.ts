import { hash } from 'node:crypto';
import { type Artefact, pieceRange } from '@bootswarm/images/format';
import { mostAheadBytes, needsEdge, roomBytes } from './ahead.ts';
import { type Blame, MixedPieces } from './blame.ts';
import { isWorthDuplicating } from './endgame.ts';
import { type BlockRange, encodeRanges } from './messages.ts';
import type { Peer } from './peer.ts';
import { Picker } from './picker.ts';
import type { PieceMemory } from './piece-cache.ts';
import type { PieceStore } from './piece-store.ts';
import { peerProblem } from './problems.ts';
import type { PeerKey, StartedPiece } from './started-piece.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { BlockTarget } from './wire.ts';

/** Memory of pieces under way. */
const MOST_STARTED_BYTES = 64 * 1024 * 1024;
const FEWEST_STARTED = 4;
/** Of these, what may wait for the disk: beyond it nothing more is asked for. Memory that is used again is warm. */
const MOST_STORING_BYTES = 16 * 1024 * 1024;
/** Blocks that came late, per peer, are let pass up to so many; more were never asked for. */
const MOST_LATE = 4096;

interface Write {
  readonly peer: PeerKey;
  readonly block: BlockRange;
  readonly target: BlockTarget;
  isDirect: boolean;
}

/** A piece under way. */
interface Gathering {
  readonly memory: Buffer;
  /** Blocks that are coming in. Those that are direct go straight to their place, where no other writes. */
  readonly writes: Write[];
}

export interface DownloadHost {
  /** Connected peers, by key. */
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  /**
   * A piece is verified and stored.
   * @param memory holds it, and is the host's now.
   * @param wasFull whether peers were not asked for more since there was no room for it.
   */
  onPiece(index: number, memory: Buffer, wasFull: boolean): void;
  /** An address was found to lie. */
  onStrike(address: string): void;
  /** The store failed. */
  onStoreFailed(error: Error): void;
}

export interface DownloadOptions {
  readonly artefact: Artefact;
  readonly store: PieceStore;
  readonly memory: PieceMemory;
  readonly blame: Blame;
  readonly bucket: TokenBucket;
  /** Whether the cap does not hold for a peer. */
  readonly isNear?: ((address: string) => boolean) | undefined;
  readonly random: () => number;
}

/** The fetching side of a swarm: asks, gathers blocks, verifies, stores, and finds out who lies. */
export class Download {
  readonly picker: Picker;
  /** Bytes of blocks that nobody waited for any more, or that were wrong. */
  wastedBytes = 0;
  /** Pieces that came whole and were not what the manifest says. */
  wrongPieces = 0;
  /** Pieces that wait for the disk. */
  #storing = 0;
  #pieceAtMs = performance.now();
  /** Bytes of all peers together. */
  #perSecond = 0;
  #bestPerSecond = 0;
  readonly #options: DownloadOptions;
  readonly #host: DownloadHost;
  readonly #gathering = new Map<number, Gathering>();
  readonly #mixed = new MixedPieces();
  /** Address of every peer that gave a unit of what is gathered. */
  readonly #addresses = new Map<PeerKey, string>();

  constructor(options: DownloadOptions, host: DownloadHost) {
    const { artefact, store, random } = options;
    this.#options = options;
    this.#host = host;
    this.picker = new Picker({
      length: artefact.length,
      pieceBytes: artefact.pieceBytes,
      have: store.have,
      mostStarted: Math.max(FEWEST_STARTED, Math.floor(MOST_STARTED_BYTES / artefact.pieceBytes)),
      random,
    });
  }

  /** To be called when the rates of peers were taken anew. */
  tick(): void {
    this.#perSecond = 0;
    for (const { down } of this.#host.peers.values()) this.#perSecond += down.perSecond;
    this.#bestPerSecond = Math.max(this.#bestPerSecond, this.#perSecond);
  }

  /** Asks a peer for as much as it may be asked for now. @returns whether the rate cap kept it from more. */
  fill(peer: Peer, nowMs: number): boolean {
    if (peer.isChoking || !peer.isInteresting || peer.isSnubbed || this.#isDiskBehind()) return false;
    const { blame, artefact } = this.#options;
    const peers = this.#host.peers;
    peer.isSuspect = blame.hasLied(peer.address) || this.#mixed.isSuspect(peer.address);
    const blocks: BlockRange[] = [];
    const ahead = mostAheadBytes(peer, artefact.pieceBytes);
    const mayRepeat = peer.isEdge && this.#needsEdge(nowMs - peer.blockAtMs);
    let room = peer.isEdge ? Number.POSITIVE_INFINITY : roomBytes(peers.values(), artefact.pieceBytes, nowMs);
    let isCapped = false;
    while (room > 0 && peer.askedBytes < ahead && peer.asked.size < peer.said.requests) {
      const mayDuplicate = peer.askedBytes === 0 && this.isEnding(nowMs);
      const pick = this.picker.next(peer, { mayRepeat, mayDuplicate });
      if (!pick) break;
      isCapped = !this.#isNear(peer) && !this.#options.bucket.take(pick.block.length, nowMs);
      if (isCapped) {
        this.picker.release(peer.key, pick.block);
        break;
      }
      if (peer.asked.size === 0) peer.blockAtMs = nowMs;
      peer.asked.set(this.#at(pick.block), pick.block);
      peer.late.delete(this.#at(pick.block));
      peer.askedBytes += pick.block.length;
      room -= pick.block.length;
      blocks.push(pick.block);
      if (pick.isDuplicate) break;
    }
    if (blocks.length > 0) peer.link.send(encodeRanges('request', blocks));
    return isCapped;
  }

  /** Whether what is missing was all asked for, and may be asked of others too. */
  isEnding(nowMs: number): boolean {
    if (!this.picker.isEndgame) return false;
    let missingPieces = 0;
    for (const { isComplete } of this.picker.started) if (!isComplete) missingPieces += 1;
    const { pieceBytes } = this.#options.artefact;
    return isWorthDuplicating({
      missingPieces,
      pieceBytes,
      perSecond: this.#perSecond,
      sincePieceMs: nowMs - this.#pieceAtMs,
    });
  }

  /** @throws Problem `message_unasked`. */
  onBlockStart(peer: Peer, block: BlockRange): BlockTarget | undefined {
    const at = this.#at(block);
    const asked = peer.asked.get(at);
    const isAsked = asked?.length === block.length && asked.index === block.index;
    // What comes late is as good as any, where it is still missing.
    if (!isAsked && !peer.late.delete(at))
      throw peerProblem('message_unasked', { facts: { reason: `a block of piece ${block.index}` } });
    const piece = this.picker.startedPiece(block.index);
    if (!piece || !isWelcome(piece, peer.key)) return undefined;
    const missing = piece.missingOf(block);
    if (missing.length === 0) return undefined;
    const gathering = this.#gatheringOf(piece);
    const isWholeMissing = missing[0]?.begin === block.begin && missing[0].end === block.begin + block.length;
    const isDirect =
      isWholeMissing && !gathering.writes.some((write) => write.isDirect && overlap(write.block, block));
    const memory = isDirect
      ? gathering.memory.subarray(block.begin, block.begin + block.length)
      : new Uint8Array(block.length);
    const target: BlockTarget = { memory };
    gathering.writes.push({ peer: peer.key, block, target, isDirect });
    return target;
  }

  onBlockEnd(peer: Peer, block: BlockRange, target: BlockTarget | undefined): void {
    this.#answered(peer, block);
    const piece = this.picker.startedPiece(block.index);
    const gathering = this.#gathering.get(block.index);
    const write = gathering?.writes.find((each) => each.target === target);
    if (!piece || !gathering || !write || !target?.memory || !isWelcome(piece, peer.key)) {
      this.wastedBytes += block.length;
      if (gathering && write) gathering.writes.splice(gathering.writes.indexOf(write), 1);
      return;
    }
    gathering.writes.splice(gathering.writes.indexOf(write), 1);
    this.#place(piece, gathering, write, target.memory);
    this.#addresses.set(peer.key, peer.address);
    for (const { peer: other, block: needless } of this.picker.receive(peer.key, block))
      this.#cancel(other, needless);
    if (piece.isComplete) this.#complete(piece, gathering);
  }

  /** A peer refused a block (BEP 6). @returns whether it was asked for it, and others may be now. */
  onReject(peer: Peer, block: BlockRange): boolean {
    const asked = peer.asked.get(this.#at(block));
    if (asked?.length !== block.length) {
      if (!peer.late.delete(this.#at(block))) peer.noise();
      return false;
    }
    this.#answered(peer, asked);
    this.#giveBack(peer, asked.length);
    this.picker.release(peer.key, asked);
    if (peer.isChoking) return true;
    peer.avoid(block.index);
    this.picker.releaseAll(peer.key, block.index);
    return true;
  }

  /** Nothing that a peer was asked for is expected any more, though it may come: it choked us, or is too slow. */
  letGo(peer: Peer): void {
    for (const at of peer.asked.keys()) if (peer.late.size < MOST_LATE) peer.late.add(at);
    this.#giveBack(peer, peer.askedBytes);
    peer.asked.clear();
    peer.askedBytes = 0;
    for (const piece of this.picker.started)
      if (piece.isSolo && piece.owner === peer.key && !piece.isComplete) {
        this.#setAside(piece);
        piece.restart();
      }
    this.picker.releaseAll(peer.key);
  }

  /** A peer is gone; what came of a block that it began is void. */
  onGone(peer: Peer): void {
    this.letGo(peer);
    for (const { writes } of this.#gathering.values())
      for (let at = writes.length - 1; at >= 0; at--) if (writes[at]?.peer === peer.key) writes.splice(at, 1);
  }

  /** A whole piece from a source that is no peer. @returns whether it was right. */
  accept(key: PeerKey, address: string, block: BlockRange, bytes: Uint8Array): boolean {
    const piece = this.picker.startedPiece(block.index);
    if (!piece || piece.isComplete) return true;
    const gathering = this.#gatheringOf(piece);
    for (const write of gathering.writes.splice(0)) write.target.memory = undefined;
    piece.restart();
    gathering.memory.set(bytes);
    this.#addresses.set(key, address);
    for (const { peer, block: needless } of this.picker.receive(key, block)) this.#cancel(peer, needless);
    return this.#complete(piece, gathering);
  }

  #gatheringOf({ index }: StartedPiece): Gathering {
    const held = this.#gathering.get(index);
    if (held) return held;
    const gathering = { memory: this.#options.memory.take(), writes: [] };
    this.#gathering.set(index, gathering);
    return gathering;
  }

  /** Puts what is missing of a block that came aside to its place, and moves whoever else writes there out of the way. */
  #place(
    piece: StartedPiece,
    { memory, writes }: Gathering,
    { block, isDirect }: Write,
    bytes: Uint8Array,
  ): void {
    for (const other of writes) {
      if (!other.isDirect || !overlap(other.block, block)) continue;
      // A copy: Buffer's own slice() would be a view.
      other.target.memory = other.target.memory && new Uint8Array(other.target.memory);
      other.isDirect = false;
    }
    if (isDirect) return;
    for (const { begin, end } of piece.missingOf(block))
      memory.set(bytes.subarray(begin - block.begin, end - block.begin), begin);
  }

  #complete(piece: StartedPiece, { memory, writes }: Gathering): boolean {
    const { index, length } = piece;
    this.#pieceAtMs = performance.now();
    this.#gathering.delete(index);
    for (const { target } of writes) target.memory = undefined;
    const bytes = memory.subarray(0, length);
    const isRight = hash('sha256', bytes) === this.#options.artefact.pieces[index];
    if (isRight) void this.#store(index, bytes, memory);
    else if (!this.#blameGivers(piece, bytes)) this.#options.memory.giveBack(memory);
    return isRight;
  }

  async #store(index: number, bytes: Uint8Array, memory: Buffer): Promise<void> {
    for (const liar of this.#mixed.liars(index, bytes)) this.#strike(liar, index, false);
    this.#storing += 1;
    try {
      await this.#options.store.write(index, bytes);
    } catch (error) {
      this.#host.onStoreFailed(error as Error);
      return;
    }
    const wasFull = this.#isDiskBehind() || this.picker.isFull;
    this.#storing -= 1;
    this.picker.keep(index);
    this.#host.onPiece(index, memory, wasFull);
  }

  /** What came of a piece and is thrown away still tells, once the right piece is there, whether it was a lie. */
  #setAside(piece: StartedPiece): void {
    const gathering = this.#gathering.get(piece.index);
    const givers = this.#giversOf(piece);
    if (!gathering || givers.every((giver) => giver === '')) return;
    this.#mixed.keep(piece.index, Buffer.from(gathering.memory.subarray(0, piece.length)), givers);
  }

  /** Until it is known who of them lied, nothing else is made of what suspects give and of what others give. */
  #keepApart(suspects: ReadonlySet<string>): void {
    for (const piece of this.picker.started) {
      if (piece.isComplete || piece.isSolo) continue;
      const owner = this.#host.peers.get(piece.owner ?? 0)?.address ?? '';
      const involved = [...this.#giversOf(piece), owner];
      if (!involved.some((address) => address !== '' && suspects.has(address))) continue;
      if (piece.isMixed) this.#setAside(piece);
      for (const { peer, block } of piece.becomeSolo()) this.#cancel(peer, block);
    }
  }

  /** Address of who gave each unit of 16 KiB; empty where it did not come yet, or came from no peer. */
  #giversOf({ givers }: StartedPiece): readonly string[] {
    return givers.map((key) => this.#addresses.get(key) ?? '');
  }

  /** @returns whether the bytes are kept as evidence. */
  #blameGivers(piece: StartedPiece, bytes: Uint8Array): boolean {
    const givers = this.#giversOf(piece);
    const addresses = new Set(givers);
    this.wastedBytes += piece.length;
    this.picker.reject(piece.index, addresses.size > 1);
    const [liar = ''] = addresses;
    this.wrongPieces += 1;
    this.#keepApart(addresses);
    if (addresses.size > 1) return this.#mixed.keep(piece.index, bytes, givers);
    for (const peer of this.#host.peers.values()) if (peer.address === liar) peer.avoid(piece.index);
    if (liar !== '') this.#strike(liar, piece.index, true);
    return false;
  }

  #strike(address: string, index: number, alone: boolean): void {
    const piece = `${this.#options.artefact.sha256}:${index}`;
    this.#options.blame.strike(address, piece, alone, this.#mixed.isSuspect(address));
    this.#host.onStrike(address);
  }

  #answered(peer: Peer, block: BlockRange): void {
    if (peer.asked.delete(this.#at(block))) peer.askedBytes -= block.length;
  }

  #cancel(key: PeerKey, block: BlockRange): void {
    const peer = this.#host.peers.get(key);
    if (!peer?.asked.has(this.#at(block))) return;
    // A block that is coming in already can't be called back; it ends as any other.
    const isComing = this.#gathering.get(block.index)?.writes.some((write) => write.peer === key);
    if (isComing) return;
    this.#answered(peer, block);
    this.#giveBack(peer, block.length);
    if (peer.late.size < MOST_LATE) peer.late.add(this.#at(block));
    peer.link.send(encodeRanges('cancel', [block]));
  }

  #isNear({ address }: Peer): boolean {
    return this.#options.isNear?.(address) ?? false;
  }

  /** Whether the edge may be asked for what neighbours have. */
  #needsEdge(edgeIdleMs: number): boolean {
    const { artefact, store } = this.#options;
    const missingBytes = (artefact.pieces.length - store.have.size) * artefact.pieceBytes;
    const [perSecond, bestPerSecond] = [this.#perSecond, this.#bestPerSecond];
    return needsEdge({ perSecond, bestPerSecond, missingBytes, edgeIdleMs });
  }

  #giveBack(peer: Peer, bytes: number): void {
    if (!this.#isNear(peer)) this.#options.bucket.giveBack(bytes);
  }

  #isDiskBehind(): boolean {
    return this.#storing > 1 && this.#storing * this.#options.artefact.pieceBytes >= MOST_STORING_BYTES;
  }

  /** Byte of the artefact at which a block begins. */
  #at({ index, begin }: BlockRange): number {
    return pieceRange(this.#options.artefact, index).start + begin;
  }
}

function isWelcome({ isSolo, owner }: StartedPiece, key: PeerKey): boolean {
  return !isSolo || owner === key;
}

function overlap(a: BlockRange, b: BlockRange): boolean {
  return a.begin < b.begin + b.length && b.begin < a.begin + a.length;
}

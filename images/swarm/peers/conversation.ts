import type { Download } from './download.ts';
import { decodeExtendedHandshake } from './extension.ts';
import type { BlockRange, Message } from './messages.ts';
import type { Peer } from './peer.ts';
import { PieceSet } from './piece-set.ts';
import { peerProblem } from './problems.ts';
import type { Upload } from './upload.ts';
import type { BlockTarget, WireListener } from './wire.ts';

/** What the swarm does about what a peer says. */
export interface ConversationHost {
  readonly download: Download;
  readonly upload: Upload;
  /** It may be asked for more now. */
  fill(peer: Peer): void;
  /** Others may take over what it was asked for. */
  fillOthers(): void;
  /** The peer has more pieces than before; without an index, any of them. */
  onPeerHas(peer: Peer, index?: number): void;
  onInterest(peer: Peer): void;
  /** Before and after it said what it is. */
  onSaid(peer: Peer, say: () => void): void;
}

/** What a bitfield after the first counts for, beside messages that cost nothing to read. */
const BITFIELD_NOISE = 40;

/** Hears what one peer says (BEP 3, 6, 10), and lets each part of the swarm know. */
export class Conversation implements WireListener {
  readonly #peer: Peer;
  readonly #host: ConversationHost;

  constructor(peer: Peer, host: ConversationHost) {
    this.#peer = peer;
    this.#host = host;
  }

  onMessage(message: Message): void {
    const [peer, host] = [this.#peer, this.#host];
    this.#mustBeOpen();
    switch (message.type) {
      case 'choke':
        this.#onChoke();
        break;
      case 'unchoke':
        peer.isChoking = false;
        peer.noise();
        host.fill(peer);
        break;
      case 'interested':
      case 'notInterested':
        peer.isInterested = message.type === 'interested';
        peer.noise();
        host.onInterest(peer);
        break;
      case 'have':
        this.#onHave(message.index);
        break;
      case 'bitfield':
        this.#onPieces(PieceSet.fromBits(peer.pieces.length, message.bits));
        break;
      case 'haveAll':
        this.#onPieces(PieceSet.whole(peer.pieces.length));
        break;
      case 'haveNone':
        this.#onPieces(new PieceSet(peer.pieces.length));
        break;
      case 'request':
        host.upload.onRequest(peer, message);
        break;
      case 'cancel':
        host.upload.onCancel(peer, message);
        break;
      case 'reject':
        this.#onReject(message);
        break;
      case 'extended':
        this.#onExtended(message.id, message.payload);
        break;
      // Keepalive. What is suggested, or allowed to the choked (BEP 6), is no help on a LAN, where slots are plenty.
      default:
        peer.noise();
    }
  }

  onBlockStart(block: BlockRange): BlockTarget | undefined {
    this.#mustBeOpen();
    return this.#host.download.onBlockStart(this.#peer, block);
  }

  onBlockBytes(bytes: number): void {
    this.#peer.onBlockBytes(bytes, performance.now());
  }

  onBlockEnd(block: BlockRange, target: BlockTarget | undefined): void {
    const peer = this.#peer;
    // Whoever sends again is asked again.
    peer.isSnubbed = false;
    this.#host.download.onBlockEnd(peer, block, target);
    this.#host.fill(peer);
  }

  #onChoke(): void {
    const peer = this.#peer;
    peer.isChoking = true;
    peer.noise();
    // With the fast extension what was asked for comes, or is refused (BEP 6): to ask others would bring it twice.
    if (peer.speaksFast) return;
    this.#host.download.letGo(peer);
    this.#host.fillOthers();
  }

  #onReject(block: BlockRange): void {
    const wasAsked = this.#host.download.onReject(this.#peer, block);
    if (!this.#peer.isChoking) this.#host.fill(this.#peer);
    // What nobody asked for frees nothing: a flood of it must not make all peers be looked at each time.
    else if (wasAsked) this.#host.fillOthers();
  }

  #onHave(index: number): void {
    const peer = this.#peer;
    peer.hasSaidPieces = true;
    if (peer.pieces.add(index)) this.#host.onPeerHas(peer, index);
    else peer.noise();
  }

  #onPieces(pieces: PieceSet | undefined): void {
    const peer = this.#peer;
    if (!pieces) throw malformed('a bitfield with bits behind its last piece');
    if (!peer.hasSaidPieces) {
      peer.hasSaidPieces = true;
      peer.pieces = pieces;
      this.#host.onPeerHas(peer);
      return;
    }
    // aria2 says again and again what it has, against BEP 3: one message instead of many.
    peer.noise(BITFIELD_NOISE);
    for (let index = 0; index < pieces.length; index++)
      if (pieces.has(index) && peer.pieces.add(index)) this.#host.onPeerHas(peer, index);
  }

  #onExtended(id: number, payload: Uint8Array): void {
    const peer = this.#peer;
    peer.noise();
    if (id !== 0) return;
    let said: Peer['said'];
    try {
      said = decodeExtendedHandshake(payload);
    } catch (error) {
      throw malformed(`an extended handshake that can't be read: ${(error as Error).message}`);
    }
    this.#host.onSaid(peer, () => {
      peer.said = said;
    });
  }

  /** A peer may be let go while what it sent is still being read. */
  #mustBeOpen(): void {
    if (this.#peer.link.isClosed)
      throw peerProblem('message_unasked', { facts: { reason: 'after its end' } });
  }
}

function malformed(reason: string): Error {
  return peerProblem('message_malformed', { facts: { reason } });
}

import {
  BITFIELD_ID,
  BLOCK_HEADER_BYTES,
  BLOCK_ID,
  type BlockRange,
  EXTENDED_ID,
  INDEX_IDS,
  type Message,
  PLAIN_IDS,
  RANGE_IDS,
} from './messages.ts';
import { peerProblem } from './problems.ts';

/**
 * Where the bytes of a block go. The memory may be exchanged while they come: what came so far is then the owner's to
 * move. Without memory they pass.
 */
export interface BlockTarget {
  memory: Uint8Array | undefined;
}

/** Who hears what a decoder read. Whatever it throws ends the `push` that it came from. */
export interface WireListener {
  onMessage(message: Message): void;
  /** A block begins. @returns memory of its length, or undefined to let its bytes pass. */
  onBlockStart(block: BlockRange): BlockTarget | undefined;
  /** So many bytes of the block that began have come since last told. */
  onBlockBytes(bytes: number): void;
  /** All bytes of the block are in its target. */
  onBlockEnd(block: BlockRange, target: BlockTarget | undefined): void;
}

export interface WireLimits {
  /** Pieces of the artefact: a bitfield has one bit for each, and no other length. */
  readonly pieceCount: number;
  /** The largest block that was ever asked for. */
  readonly mostBlockBytes: number;
}

/** Of extended handshakes and the like. Those of the clients in use have some 200 bytes. */
const MOST_EXTENDED_BYTES = 64 * 1024;
/** Of a message whose id nobody here knows: it passes without being kept. */
const MOST_UNKNOWN_BYTES = 64 * 1024;
/** The longest of the messages that have a fixed length, with its length in front. */
const LONGEST_FIXED_BYTES = 17;

const PLAIN_BY_ID = new Map(
  Object.entries(PLAIN_IDS).map(([type, id]) => [id, type as keyof typeof PLAIN_IDS]),
);
const INDEX_BY_ID = new Map(
  Object.entries(INDEX_IDS).map(([type, id]) => [id, type as keyof typeof INDEX_IDS]),
);
const RANGE_BY_ID = new Map(
  Object.entries(RANGE_IDS).map(([type, id]) => [id, type as keyof typeof RANGE_IDS]),
);

interface Gathering {
  readonly id: number;
  readonly bytes: Uint8Array;
  filled: number;
}

interface Incoming {
  readonly block: BlockRange;
  readonly target: BlockTarget | undefined;
  filled: number;
}

/**
 * Reads peer wire messages from bytes as they come, in parts of any length. Every declared length is judged as soon as
 * its four bytes are there, before anything is kept. The bytes of blocks are copied once, to where they belong.
 */
export class WireDecoder {
  readonly #listener: WireListener;
  readonly #limits: WireLimits;
  readonly #mostBytes: number;
  /** The beginning of a message that came in parts. */
  readonly #head = new Uint8Array(LONGEST_FIXED_BYTES);
  #headFilled = 0;
  /** Bytes of a message without which it can't be told what it is. */
  #headNeeded = 4;
  #payload: Gathering | undefined;
  #block: Incoming | undefined;
  #toSkip = 0;

  constructor(listener: WireListener, limits: WireLimits) {
    this.#listener = listener;
    this.#limits = limits;
    this.#mostBytes = Math.max(
      BLOCK_HEADER_BYTES - 4 + limits.mostBlockBytes,
      1 + bitfieldBytes(limits.pieceCount),
      2 + MOST_EXTENDED_BYTES,
      1 + MOST_UNKNOWN_BYTES,
    );
  }

  /**
   * Takes the next bytes; they may be overwritten when it returns.
   * @throws Problem `message_too_long`, `message_malformed`, and what the listener throws; it must not be used after.
   */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#block) at = this.#pushBlock(this.#block, chunk, at);
      else if (this.#payload) at = this.#pushPayload(this.#payload, chunk, at);
      else if (this.#toSkip > 0) {
        const part = Math.min(this.#toSkip, chunk.length - at);
        this.#toSkip -= part;
        at += part;
      } else at = this.#pushHead(chunk, at);
    }
  }

  #pushHead(chunk: Uint8Array, at: number): number {
    if (this.#headFilled === 0) {
      const used = this.#read(chunk, at, chunk.length - at);
      if (used > 0) return at + used;
    }
    const part = Math.min(this.#headNeeded - this.#headFilled, chunk.length - at);
    this.#head.set(chunk.subarray(at, at + part), this.#headFilled);
    this.#headFilled += part;
    if (this.#headFilled === this.#headNeeded && this.#read(this.#head, 0, this.#headFilled) > 0)
      this.#headFilled = 0;
    return at + part;
  }

  #pushBlock(incoming: Incoming, chunk: Uint8Array, at: number): number {
    const { block, target } = incoming;
    const part = Math.min(block.length - incoming.filled, chunk.length - at);
    target?.memory?.set(chunk.subarray(at, at + part), incoming.filled);
    incoming.filled += part;
    this.#listener.onBlockBytes(part);
    if (incoming.filled === block.length) {
      this.#block = undefined;
      this.#listener.onBlockEnd(block, target);
    }
    return at + part;
  }

  #pushPayload(gathering: Gathering, chunk: Uint8Array, at: number): number {
    const { id, bytes } = gathering;
    const part = Math.min(bytes.length - gathering.filled, chunk.length - at);
    bytes.set(chunk.subarray(at, at + part), gathering.filled);
    gathering.filled += part;
    if (gathering.filled === bytes.length) {
      this.#payload = undefined;
      this.#listener.onMessage(
        id === BITFIELD_ID
          ? { type: 'bitfield', bits: bytes }
          : { type: 'extended', id: bytes[0] as number, payload: bytes.subarray(1) },
      );
    }
    return at + part;
  }

  /** @returns bytes used of `have`; 0 where more are needed, with `#headNeeded` saying how many. */
  #read(bytes: Uint8Array, at: number, have: number): number {
    if (have < 4) return this.#needs(4);
    const length = uint32(bytes, at);
    if (length > this.#mostBytes) throw tooLong('of any kind', length);
    if (length === 0) {
      this.#needs(4);
      this.#listener.onMessage({ type: 'keepalive' });
      return 4;
    }
    if (have < 5) return this.#needs(5);
    const id = bytes[at + 4] as number;
    return id === BLOCK_ID
      ? this.#readBlock(bytes, at, have, length)
      : this.#readOther(bytes, at, have, length, id);
  }

  #readBlock(bytes: Uint8Array, at: number, have: number, messageBytes: number): number {
    const length = messageBytes - (BLOCK_HEADER_BYTES - 4);
    if (length > this.#limits.mostBlockBytes) throw tooLong(BLOCK_ID, messageBytes);
    if (length <= 0) throw malformed('a block without bytes');
    if (have < BLOCK_HEADER_BYTES) return this.#needs(BLOCK_HEADER_BYTES);
    this.#needs(4);
    const block = { index: uint32(bytes, at + 5), begin: uint32(bytes, at + 9), length };
    this.#block = { block, target: this.#listener.onBlockStart(block), filled: 0 };
    return BLOCK_HEADER_BYTES;
  }

  #readOther(bytes: Uint8Array, at: number, have: number, length: number, id: number): number {
    const plain = PLAIN_BY_ID.get(id);
    if (plain) {
      if (length !== 1) throw malformed(`a ${plain} of ${length} bytes`);
      this.#needs(4);
      this.#listener.onMessage({ type: plain });
      return 5;
    }
    const withIndex = INDEX_BY_ID.get(id);
    const withRange = RANGE_BY_ID.get(id);
    const fixed = withIndex ? 5 : withRange ? 13 : undefined;
    if (fixed !== undefined) {
      if (length !== fixed) throw malformed(`a ${withIndex ?? withRange} of ${length} bytes`);
      if (have < 4 + fixed) return this.#needs(4 + fixed);
      this.#needs(4);
      const index = uint32(bytes, at + 5);
      if (index >= this.#limits.pieceCount) throw malformed(`piece ${index} of ${this.#limits.pieceCount}`);
      if (withIndex) this.#listener.onMessage({ type: withIndex, index });
      else if (withRange)
        this.#listener.onMessage({
          type: withRange,
          index,
          begin: uint32(bytes, at + 9),
          length: uint32(bytes, at + 13),
        });
      return 4 + fixed;
    }
    this.#needs(4);
    this.#beginPayload(id, length);
    return 5;
  }

  #beginPayload(id: number, length: number): void {
    if (id === BITFIELD_ID) {
      const wanted = 1 + bitfieldBytes(this.#limits.pieceCount);
      if (length !== wanted) throw malformed(`a bitfield of ${length} bytes instead of ${wanted}`);
    } else if (id === EXTENDED_ID) {
      if (length > 2 + MOST_EXTENDED_BYTES) throw tooLong(id, length);
      if (length < 2) throw malformed('an extended message without an id');
    } else {
      if (length > 1 + MOST_UNKNOWN_BYTES) throw tooLong(id, length);
      this.#toSkip = length - 1;
      return;
    }
    this.#payload = { id, bytes: new Uint8Array(length - 1), filled: 0 };
  }

  #needs(bytes: number): 0 {
    this.#headNeeded = bytes;
    return 0;
  }
}

function bitfieldBytes(pieceCount: number): number {
  return Math.ceil(pieceCount / 8);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}

function tooLong(id: number | string, bytes: number): Error {
  return peerProblem('message_too_long', { facts: { id, bytes } });
}

function malformed(reason: string): Error {
  return peerProblem('message_malformed', { facts: { reason } });
}

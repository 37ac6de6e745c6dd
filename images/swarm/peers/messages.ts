import type { PieceSet } from './piece-set.ts';

/**
 * Messages of the peer wire protocol (BEP 3, "peer messages"), of the fast extension (BEP 6) and of the extension
 * protocol (BEP 10). Blocks are apart: their bytes never pass through a value of this kind.
 */
export type Message =
  | { readonly type: 'keepalive' | PlainType }
  /** Index of a piece. */
  | { readonly type: IndexType; readonly index: number }
  /** One bit a piece, the first piece in the highest bit of the first byte. */
  | { readonly type: 'bitfield'; readonly bits: Uint8Array }
  | ({ readonly type: RangeType } & BlockRange)
  /** `id` 0 is the extended handshake; others were named in the handshake of whoever receives. */
  | { readonly type: 'extended'; readonly id: number; readonly payload: Uint8Array };

/** Bytes `[begin, begin + length)` of a piece. */
export interface BlockRange {
  readonly index: number;
  readonly begin: number;
  readonly length: number;
}

type PlainType = 'choke' | 'unchoke' | 'interested' | 'notInterested' | 'haveAll' | 'haveNone';
type IndexType = 'have' | 'suggest' | 'allowedFast';
type RangeType = 'request' | 'cancel' | 'reject';

/** Message ids that are only a type. */
export const PLAIN_IDS: Readonly<Record<PlainType, number>> = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  haveAll: 0x0e,
  haveNone: 0x0f,
};
export const INDEX_IDS: Readonly<Record<IndexType, number>> = { have: 4, suggest: 0x0d, allowedFast: 0x11 };
export const RANGE_IDS: Readonly<Record<RangeType, number>> = { request: 6, cancel: 8, reject: 0x10 };
export const BITFIELD_ID = 5;
export const BLOCK_ID = 7;
export const EXTENDED_ID = 20;

/** Bytes of a block message before its bytes: length, id, index, begin. */
export const BLOCK_HEADER_BYTES = 13;

/** What is there, as shortly as the peer understands it (BEP 6). */
export function piecesMessage(have: PieceSet, speaksFast: boolean): Message {
  if (speaksFast && have.isWhole) return { type: 'haveAll' };
  if (speaksFast && have.size === 0) return { type: 'haveNone' };
  return { type: 'bitfield', bits: have.bits };
}

/** A message as it goes over the wire, its length in front. */
export function encodeMessage(message: Message): Uint8Array {
  switch (message.type) {
    case 'keepalive':
      return Buffer.alloc(4);
    case 'bitfield':
      return withPayload(BITFIELD_ID, [], message.bits);
    case 'extended':
      return withPayload(EXTENDED_ID, [message.id], message.payload);
    case 'have':
    case 'suggest':
    case 'allowedFast': {
      const bytes = framed(INDEX_IDS[message.type], 4);
      bytes.writeUInt32BE(message.index, 5);
      return bytes;
    }
    case 'request':
    case 'cancel':
    case 'reject':
      return encodeRanges(message.type, [message]);
    default:
      return framed(PLAIN_IDS[message.type], 0);
  }
}

/** Many messages of one kind in one buffer: 64 requests of a piece are one write. */
export function encodeRanges(type: RangeType, ranges: readonly BlockRange[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(ranges.length * 17);
  let at = 0;
  for (const { index, begin, length } of ranges) {
    bytes.writeUInt32BE(13, at);
    bytes[at + 4] = RANGE_IDS[type];
    bytes.writeUInt32BE(index, at + 5);
    bytes.writeUInt32BE(begin, at + 9);
    bytes.writeUInt32BE(length, at + 13);
    at += 17;
  }
  return bytes;
}

/** What goes in front of the bytes of a block; both leave in one writev. */
export function encodeBlockHeader({ index, begin, length }: BlockRange): Uint8Array {
  const bytes = Buffer.allocUnsafe(BLOCK_HEADER_BYTES);
  bytes.writeUInt32BE(9 + length, 0);
  bytes[4] = BLOCK_ID;
  bytes.writeUInt32BE(index, 5);
  bytes.writeUInt32BE(begin, 9);
  return bytes;
}

/** A message of `payloadBytes`, which are yet to be written from its byte 5 on. */
function framed(id: number, payloadBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(5 + payloadBytes);
  bytes.writeUInt32BE(1 + payloadBytes, 0);
  bytes[4] = id;
  return bytes;
}

function withPayload(id: number, head: readonly number[], payload: Uint8Array): Uint8Array {
  const bytes = framed(id, head.length + payload.length);
  bytes.set(head, 5);
  bytes.set(payload, 5 + head.length);
  return bytes;
}

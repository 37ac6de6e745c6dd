import { encodeBlockHeader, encodeMessage, encodeRanges } from '../messages.ts';
import type { HostilePeer } from './hostile-peer.ts';

/** What is attacked: the pieces of a swarm. */
interface Target {
  readonly pieceCount: number;
  readonly pieceBytes: number;
}

type Attack = (peer: HostilePeer, target: Target) => void;

const BLOCK = { index: 0, begin: 0, length: 16_384 };
/** Of each message that is harmless once. */
const FLOOD = 5000;

/** Whoever sends one of these, after a greeting as it should be, is to be dropped. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'a length of 2 GiB': (peer) => peer.send(frame(2 ** 31)),
  'a block of 2 GiB': (peer) => peer.send(frame(2 ** 31 - 1, 7, 0, 0, 0, 0)),
  'a length of 4 GiB, one byte at a time': (peer) => {
    for (const byte of frame(2 ** 32 - 1)) peer.send(Buffer.of(byte));
  },
  'the string of negative length l-3:e': (peer) => peer.sayExtended(0, 'l-3:e'),
  'a dictionary with a string of negative length': (peer) => peer.sayExtended(0, 'd1:m-3:e'),
  'a string of 2 GiB': (peer) => peer.sayExtended(0, 'd1:v2147483648:a'),
  'deep nesting of lists': (peer) => peer.sayExtended(0, 'l'.repeat(60_000)),
  'deep nesting of dictionaries': (peer) => peer.sayExtended(0, 'd1:a'.repeat(15_000)),
  'deep nesting that ends as it should': (peer) =>
    peer.sayExtended(0, `d1:a${'l'.repeat(30_000)}${'e'.repeat(30_000)}e`),
  '__proto__ and no end': (peer) => peer.sayExtended(0, 'd9:__proto__d8:bs_blocki1e'),
  'an integer of 60,000 digits': (peer) => peer.sayExtended(0, `d4:reqqi${'9'.repeat(60_000)}ee`),
  'a dictionary that does not end': (peer) => peer.sayExtended(0, 'd1:md'),
  'a bitfield of another length': (peer, { pieceCount }) => sayPieces(peer, new Uint8Array(pieceCount)),
  'a bitfield with bits behind its end': (peer, { pieceCount }) => {
    const bits = new Uint8Array(Math.ceil(pieceCount / 8));
    bits[bits.length - 1] = 1;
    sayPieces(peer, bits);
  },
  'a flood of bitfields': (peer, { pieceCount }) =>
    peer.send(flood(encodeMessage({ type: 'bitfield', bits: new Uint8Array(Math.ceil(pieceCount / 8)) }))),
  'a have of a piece that is none': (peer, { pieceCount }) =>
    peer.send(encodeMessage({ type: 'have', index: pieceCount })),
  'a request of no bytes': (peer) => peer.send(encodeRanges('request', [{ ...BLOCK, length: 0 }])),
  'a request behind the end of a piece': (peer, { pieceBytes }) =>
    peer.send(encodeRanges('request', [{ index: 0, begin: pieceBytes - 1, length: 2 }])),
  'a request that overflows 32 bits': (peer) =>
    peer.send(encodeRanges('request', [{ index: 3, begin: 0xffffffff, length: 0xffffffff }])),
  'a block that nobody asked for': (peer) => peer.send(encodeBlockHeader(BLOCK)),
  'a flood of keepalives': (peer) => peer.send(flood(encodeMessage({ type: 'keepalive' }))),
  'a flood of haves': (peer) => peer.send(flood(encodeMessage({ type: 'have', index: 1 }))),
  'a flood of interest': (peer) => {
    const both = [encodeMessage({ type: 'interested' }), encodeMessage({ type: 'notInterested' })];
    peer.send(flood(Buffer.concat(both)));
  },
  'a flood of extended messages': (peer) =>
    peer.send(flood(encodeMessage({ type: 'extended', id: 0, payload: Buffer.from('de') }))),
  'a flood of requests while it is choked': (peer) => peer.send(flood(encodeRanges('request', [BLOCK]))),
  'a flood of cancels': (peer) => peer.send(flood(encodeRanges('cancel', [BLOCK]))),
  'a flood of rejects': (peer) => peer.send(flood(encodeRanges('reject', [BLOCK]))),
};

function sayPieces(peer: HostilePeer, bits: Uint8Array): void {
  peer.send(encodeMessage({ type: 'bitfield', bits }));
}

/** The beginning of a message that declares a length. */
function frame(length: number, ...rest: number[]): Buffer {
  const bytes = Buffer.alloc(4 + rest.length);
  bytes.writeUInt32BE(length);
  bytes.set(rest, 4);
  return bytes;
}

function flood(message: Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: FLOOD }, () => message));
}

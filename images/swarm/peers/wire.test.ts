import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeHandshake, encodeHandshake, HANDSHAKE_BYTES } from './handshake.ts';
import { type BlockRange, encodeBlockHeader, encodeMessage, encodeRanges, type Message } from './messages.ts';
import { WireDecoder, type WireListener } from './wire.ts';

const PIECES = 20;
const LIMITS = { pieceCount: PIECES, mostBlockBytes: 32 * 1024 };

/** Writes down all that it hears, blocks with their bytes. */
class Scribe implements WireListener {
  readonly heard: unknown[] = [];
  blockBytes = 0;
  /** What `onBlockStart` gives. */
  memoryFor: (block: BlockRange) => Uint8Array | undefined = ({ length }) => new Uint8Array(length);

  onMessage(message: Message): void {
    this.heard.push(message);
  }

  onBlockStart(block: BlockRange) {
    const memory = this.memoryFor(block);
    return memory && { memory };
  }

  onBlockBytes(bytes: number): void {
    this.blockBytes += bytes;
  }

  onBlockEnd(block: BlockRange, target: { memory: Uint8Array | undefined } | undefined): void {
    this.heard.push({ block, bytes: target?.memory && Buffer.from(target.memory).toString('hex') });
  }
}

const index = fc.nat(PIECES - 1);
const uint32 = fc.nat(0xffffffff);
const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .constantFrom(
      'keepalive' as const,
      'choke' as const,
      'unchoke' as const,
      'interested' as const,
      'notInterested' as const,
      'haveAll' as const,
      'haveNone' as const,
    )
    .map((type) => ({ type })),
  fc.record({ type: fc.constantFrom('have' as const, 'suggest' as const, 'allowedFast' as const), index }),
  fc.record({
    type: fc.constantFrom('request' as const, 'cancel' as const, 'reject' as const),
    index,
    begin: uint32,
    length: uint32,
  }),
  fc.record({ type: fc.constant('bitfield' as const), bits: fc.uint8Array({ minLength: 3, maxLength: 3 }) }),
  fc.record({
    type: fc.constant('extended' as const),
    id: fc.nat(255),
    payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  }),
);
const block = fc.record({ index, begin: uint32, bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }) });

test('what was encoded is heard again, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(message, block), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (all, cuts) => {
        const bytes = Buffer.concat(
          all.map((each) =>
            'bytes' in each
              ? Buffer.concat([encodeBlockHeader({ ...each, length: each.bytes.length }), each.bytes])
              : encodeMessage(each),
          ),
        );
        const scribe = new Scribe();
        const decoder = new WireDecoder(scribe, LIMITS);
        // One buffer for all, as a socket reads them.
        const memory = new Uint8Array(40);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const part = bytes.subarray(at, at + (cuts[turn % cuts.length] as number));
          memory.fill(0xee).set(part);
          decoder.push(memory.subarray(0, part.length));
          at += part.length;
        }
        const wanted = all.map((each) =>
          'bytes' in each
            ? {
                block: { index: each.index, begin: each.begin, length: each.bytes.length },
                bytes: Buffer.from(each.bytes).toString('hex'),
              }
            : each,
        );
        assert.deepEqual(plain(scribe.heard), plain(wanted));
      },
    ),
  );
});

/** Uint8Array and Buffer, and the prototypes of fast-check, told by their bytes alone. */
function plain(values: readonly unknown[]): unknown {
  return JSON.parse(JSON.stringify(values, (_, value) => (value instanceof Uint8Array ? [...value] : value)));
}

test('any bytes are read or refused, and no memory is asked for beyond the limits', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 30 }), (parts) => {
      const scribe = new Scribe();
      let most = 0;
      scribe.memoryFor = ({ length }) => {
        most = Math.max(most, length);
        return undefined;
      };
      const decoder = new WireDecoder(scribe, LIMITS);
      try {
        for (const part of parts) decoder.push(part);
      } catch (error) {
        assert.match((error as { code: string }).code, /^message_(too_long|malformed)$/);
      }
      assert.ok(most <= LIMITS.mostBlockBytes);
    }),
    { numRuns: 500 },
  );
});

describe('refused at the header, before any of its bytes came', () => {
  const header = (length: number, id?: number): Buffer => {
    const bytes = Buffer.alloc(id === undefined ? 4 : 5);
    bytes.writeUInt32BE(length);
    if (id !== undefined) bytes[4] = id;
    return bytes;
  };
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['2 GiB of anything', header(2 ** 31), /too_long/],
    ['2 GiB less one of a block', header(2 ** 31 - 1, 7), /too_long/],
    ['a block larger than the largest', header(9 + 32 * 1024 + 1, 7), /too_long/],
    ['a block without bytes', header(9, 7), /malformed/],
    ['a block shorter than its own header', header(5, 7), /malformed/],
    ['an extended message of more than 64 KiB', header(64 * 1024 + 3, 20), /too_long/],
    ['an extended message without an id', header(1, 20), /malformed/],
    ['a bitfield that is too short', header(3, 5), /malformed/],
    ['a bitfield that is too long', header(5, 5), /malformed/],
    ['a choke with a payload', header(2, 0), /malformed/],
    ['a have of six bytes', header(6, 4), /malformed/],
    ['a request that is too short', header(12, 6), /malformed/],
    ['an unknown message of more than 64 KiB', header(64 * 1024 + 2, 99), /too_long/],
  ];
  for (const [name, bytes, code] of cases)
    test(name, () => {
      const decoder = new WireDecoder(new Scribe(), LIMITS);
      assert.throws(
        () => decoder.push(bytes),
        (error: { code: string }) => code.test(error.code),
      );
    });

  test('a piece that the artefact does not have', () => {
    const decoder = new WireDecoder(new Scribe(), LIMITS);
    assert.throws(() => decoder.push(encodeMessage({ type: 'have', index: PIECES })), /malformed/);
  });
});

test('an unknown message passes, and what follows it is heard', () => {
  const scribe = new Scribe();
  const decoder = new WireDecoder(scribe, LIMITS);
  const unknown = Buffer.alloc(4 + 1000, 0x63);
  unknown.writeUInt32BE(1000);
  decoder.push(Buffer.concat([unknown, encodeMessage({ type: 'unchoke' })]));
  assert.deepEqual(scribe.heard, [{ type: 'unchoke' }]);
});

test('a block that nobody wants passes, and is counted', () => {
  const scribe = new Scribe();
  scribe.memoryFor = () => undefined;
  const decoder = new WireDecoder(scribe, LIMITS);
  decoder.push(encodeBlockHeader({ index: 1, begin: 0, length: 1000 }));
  decoder.push(new Uint8Array(999));
  assert.equal(scribe.heard.length, 0);
  decoder.push(new Uint8Array(1));
  assert.equal(scribe.heard.length, 1);
  assert.equal(scribe.blockBytes, 1000);
});

test('many requests in one buffer are as many messages', () => {
  const blocks = [0, 1, 2].map((unit) => ({ index: 3, begin: unit * 16384, length: 16384 }));
  const one = Buffer.concat(blocks.map((each) => encodeMessage({ type: 'request', ...each })));
  assert.deepEqual(Buffer.from(encodeRanges('request', blocks)), one);
});

describe('a handshake', () => {
  const handshake = {
    infohash: Buffer.alloc(20, 1),
    peerId: Buffer.from('-BW0001-abcdefghijkl'),
    fast: true,
    extended: true,
  };

  test('is read as it was written, as soon as it is whole', () => {
    for (const fast of [true, false])
      for (const extended of [true, false]) {
        const bytes = encodeHandshake({ ...handshake, fast, extended });
        assert.equal(bytes.length, HANDSHAKE_BYTES);
        assert.equal(decodeHandshake(bytes.subarray(0, 67)), undefined);
        const read = decodeHandshake(bytes);
        assert.deepEqual([read?.fast, read?.extended], [fast, extended]);
        assert.equal(Buffer.compare(read?.infohash as Uint8Array, handshake.infohash), 0);
        assert.equal(Buffer.compare(read?.peerId as Uint8Array, handshake.peerId), 0);
      }
  });

  test('of another protocol is refused at its first byte', () => {
    for (const text of [
      'GET / HTTP/1.1',
      '\x13BitTorrent Protocol',
      '\x12BitTorrent protocol',
      '\x16\x03\x01',
    ])
      assert.throws(() => decodeHandshake(Buffer.from(text, 'latin1')), /no BitTorrent handshake/);
    assert.equal(decodeHandshake(Buffer.from('\x13BitTorrent')), undefined);
  });
});

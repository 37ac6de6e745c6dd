import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, ERROR, encode, netascii, type TftpPacket } from './index.ts';

const SEED = 20260101;
/** BOOTSWARM_FUZZ_FACTOR=100 tries for longer. */
const FUZZ_FACTOR = Number(process.env['BOOTSWARM_FUZZ_FACTOR'] ?? 1);

/** Written with `\0` for NUL; the opcode's first byte is always 0. */
function wire(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

const BOTH_WAYS: { name: string; packet: TftpPacket; bytes: Uint8Array }[] = [
  {
    name: 'a plain read request',
    packet: { kind: 'rrq', file: 'ipxe.efi', mode: 'octet', options: new Map() },
    bytes: wire('\0\x01ipxe.efi\0octet\0'),
  },
  {
    name: 'a read request with options',
    packet: {
      kind: 'rrq',
      file: 'a',
      mode: 'octet',
      options: new Map([
        ['tsize', '0'],
        ['blksize', '1468'],
      ]),
    },
    bytes: wire('\0\x01a\0octet\0tsize\x000\0blksize\x001468\0'),
  },
  {
    name: 'a write request',
    packet: { kind: 'wrq', file: 'a', mode: 'netascii', options: new Map() },
    bytes: wire('\0\x02a\0netascii\0'),
  },
  {
    name: 'data',
    packet: { kind: 'data', block: 0x102, bytes: wire('xy') },
    bytes: wire('\0\x03\x01\x02xy'),
  },
  {
    name: 'empty data',
    packet: { kind: 'data', block: 65535, bytes: wire('') },
    bytes: wire('\0\x03\xff\xff'),
  },
  { name: 'an acknowledgement', packet: { kind: 'ack', block: 0 }, bytes: wire('\0\x04\0\0') },
  {
    name: 'an error',
    packet: { kind: 'error', code: ERROR.accessViolation, message: 'read only' },
    bytes: wire('\0\x05\0\x02read only\0'),
  },
  {
    name: 'an option acknowledgement',
    packet: { kind: 'oack', options: new Map([['tsize', '42']]) },
    bytes: wire('\0\x06tsize\x0042\0'),
  },
];
for (const { name, packet, bytes } of BOTH_WAYS) {
  test(`${name} decodes and encodes`, () => {
    assert.deepEqual(decode(bytes), { ok: true, packet });
    assert.deepEqual(encode(packet), bytes);
  });
}

const rrq = (file: string, options: [string, string][] = []): TftpPacket => ({
  kind: 'rrq',
  file,
  mode: 'octet',
  options: new Map(options),
});
const TOLERATED: { name: string; bytes: Uint8Array; packet: TftpPacket }[] = [
  {
    name: 'names in any case',
    bytes: wire('\0\x01a\0OcTeT\0BlkSize\x00512\0'),
    packet: rrq('a', [['blksize', '512']]),
  },
  {
    name: 'the END of DHCP in a file name (quirk 3)',
    bytes: wire('\0\x01undionly.kpxe\xff\xff\0octet\0'),
    packet: rrq('undionly.kpxe'),
  },
  { name: 'a 0xff amid a file name', bytes: wire('\0\x01a\xffb\0octet\0'), packet: rrq('a\xffb') },
  {
    name: 'the first of a repeated option',
    bytes: wire('\0\x01a\0octet\0tsize\x000\0TSIZE\x009\0'),
    packet: rrq('a', [['tsize', '0']]),
  },
  { name: 'an option without value', bytes: wire('\0\x01a\0octet\0tsize\0'), packet: rrq('a') },
  { name: 'zeros behind the request', bytes: wire('\0\x01a\0octet\0\0\0\0'), packet: rrq('a') },
  {
    name: 'an error without NUL',
    bytes: wire('\0\x05\0\x08bye'),
    packet: { kind: 'error', code: 8, message: 'bye' },
  },
  {
    name: 'an error without text',
    bytes: wire('\0\x05\0\x08'),
    packet: { kind: 'error', code: 8, message: '' },
  },
  {
    name: 'rubbish behind an acknowledgement',
    bytes: wire('\0\x04\0\x01junk'),
    packet: { kind: 'ack', block: 1 },
  },
];
for (const { name, bytes, packet } of TOLERATED) {
  test(`decode tolerates ${name}`, () => assert.deepEqual(decode(bytes), { ok: true, packet }));
}

const MALFORMED = [
  { name: 'nothing', bytes: wire(''), reason: 'too short' },
  { name: 'an acknowledgement of no block', bytes: wire('\0\x04\0'), reason: 'too short' },
  { name: 'opcode 7', bytes: wire('\0\x07\0\0'), reason: 'unknown opcode' },
  { name: 'opcode 257', bytes: wire('\x01\x01a\0octet\0'), reason: 'unknown opcode' },
  { name: 'a request without mode', bytes: wire('\0\x01ab\0'), reason: 'unterminated text' },
  { name: 'a request cut off in its mode', bytes: wire('\0\x01ab\0octet'), reason: 'unterminated text' },
  { name: 'a request for nothing', bytes: wire('\0\x01\0octet\0'), reason: 'no file name' },
  { name: 'mail', bytes: wire('\0\x01a\0mail\0'), reason: 'unknown mode' },
  { name: 'a cut-off option acknowledgement', bytes: wire('\0\x06tsize\x001'), reason: 'unterminated text' },
];
for (const { name, bytes, reason } of MALFORMED) {
  test(`decode refuses ${name}`, () => assert.deepEqual(decode(bytes), { ok: false, reason }));
}

test('text without wire form is refused', () => {
  for (const message of ['a\0b', 'ĳ']) {
    assert.throws(() => encode({ kind: 'error', code: 0, message }), RangeError);
  }
});

test('whatever bytes arrive, decode takes under 50 ms and throws nothing', () => {
  const bytes = fc
    .tuple(fc.nat(7), fc.uint8Array({ maxLength: 1500, size: 'max' }))
    .map(([opcode, rest]) => Uint8Array.of(0, opcode, ...rest));
  fc.assert(fc.property(fc.oneof(bytes, fc.uint8Array()), decodeInTime), {
    seed: SEED,
    numRuns: 3000 * FUZZ_FACTOR,
  });
  for (const opcode of [1, 2, 5, 6]) {
    for (const byte of [0, 0xff, 97])
      decodeInTime(new Uint8Array(65507).fill(byte).with(0, 0).with(1, opcode));
    decodeInTime(
      Uint8Array.from({ length: 65507 }, (_, at) => (at < 2 ? at * opcode : at % 2 ? 0 : at % 251)),
    );
    // A file name that looks like quirk 3 at every position.
    decodeInTime(
      Uint8Array.from({ length: 65507 }, (_, at) =>
        at < 2 ? at * opcode : at === 65000 ? 97 : at > 65000 ? 0 : 0xff,
      ),
    );
  }
});

/** Thrice if slow, as the machine itself may pause. */
function decodeInTime(bytes: Uint8Array): void {
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && fastestMs >= 50; attempt++) {
    const startedMs = performance.now();
    decode(bytes);
    fastestMs = Math.min(fastestMs, performance.now() - startedMs);
  }
  assert.ok(fastestMs < 50, `took ${fastestMs} ms`);
}

const NETASCII = [
  { name: 'plain text', from: 'abc', to: 'abc' },
  { name: 'a line end', from: 'a\nb', to: 'a\r\nb' },
  { name: 'a lone CR', from: 'a\rb', to: 'a\r\0b' },
  { name: 'a line end of another system', from: '\r\n', to: '\r\0\r\n' },
  { name: 'nothing', from: '', to: '' },
];
for (const { name, from, to } of NETASCII) {
  test(`netascii writes ${name}`, () => assert.deepEqual(netascii(wire(from)), wire(to)));
}

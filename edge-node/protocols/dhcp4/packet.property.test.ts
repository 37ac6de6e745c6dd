import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipv4FromNumber } from './addresses.ts';
import {
  classlessRoutes,
  type DhcpOptions,
  type DhcpPacket,
  decode,
  domainSearch,
  encode,
  ipxe,
  machineId,
  OPTION,
  pxeVendor,
  relayAgent,
  userClasses,
} from './index.ts';
import { rawRequest } from './testing/packets.ts';

const SEED = 20260101;
/** BOOTSWARM_FUZZ_FACTOR=100 tries for longer. */
const FUZZ_FACTOR = Number(process.env['BOOTSWARM_FUZZ_FACTOR'] ?? 1);
/** A datagram's limit: whatever an attacker sends is no longer. */
const MAX_DATAGRAM_BYTES = 65507;

// fast-check keeps arrays near ten elements unless told: too short for what is tested here.
const bytesUpTo = (maxLength: number) =>
  fc.uint8Array({ maxLength, size: 'max' }).map((bytes) => Uint8Array.from(bytes));
const address = fc.nat(0xffffffff).map(ipv4FromNumber);
const nameOf = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), maxLength });
const code = fc
  .integer({ min: 1, max: 254 })
  .filter((number) => number !== OPTION.overload && number !== OPTION.messageType);
const optionsArbitrary = (maxLength: number, maxCount: number): fc.Arbitrary<DhcpOptions> =>
  fc
    .array(fc.tuple(code, bytesUpTo(maxLength)), { maxLength: maxCount, size: 'max' })
    .map((entries) => new Map([[OPTION.messageType, Uint8Array.of(1)], ...entries]));

const packetWith = (options: fc.Arbitrary<DhcpOptions>): fc.Arbitrary<DhcpPacket> =>
  fc
    .record({
      op: fc.constantFrom('request', 'reply'),
      htype: fc.integer({ min: 2, max: 255 }),
      hops: fc.nat(255),
      xid: fc.nat(0xffffffff),
      secs: fc.nat(0xffff),
      broadcast: fc.boolean(),
      ciaddr: address,
      yiaddr: address,
      siaddr: address,
      giaddr: address,
      chaddr: bytesUpTo(16),
      sname: fc.oneof(fc.constant(''), nameOf(63)),
      file: fc.oneof(fc.constant(''), nameOf(127)),
      options,
    })
    .map((fields) => ({ ...fields, hlen: fields.chaddr.length }));

test('every packet decodes to itself, whatever its options weigh', () => {
  fc.assert(
    fc.property(packetWith(optionsArbitrary(900, 6)), (packet) => {
      assert.deepEqual(decode(encode(packet, { maxBytes: 16384 })), { ok: true, packet });
    }),
    { seed: SEED, numRuns: 500 * FUZZ_FACTOR },
  );
});

test('a crowded packet decodes to itself within its limit or is refused', () => {
  // Behind option 53, when that holds one byte.
  const OVERLOAD_AT = 243;
  let overloaded = 0;
  fc.assert(
    fc.property(packetWith(optionsArbitrary(280, 5)), (packet) => {
      const bytes = encodedWithin(packet, 548);
      if (!bytes) return;
      assert.ok(bytes.length <= 548);
      if (bytes[OVERLOAD_AT] === OPTION.overload) overloaded++;
      assert.deepEqual(decode(bytes), { ok: true, packet });
    }),
    { seed: SEED, numRuns: 1000 * FUZZ_FACTOR },
  );
  assert.ok(overloaded > 10, `only ${overloaded} cases overloaded a field`);
});

test('random bytes never throw and never take over 50 ms', () => {
  fc.assert(
    fc.property(bytesUpTo(1500), (bytes) => {
      readEverything(bytes);
      readEverything(rawRequest([...bytes]));
    }),
    { seed: SEED, numRuns: 2000 * FUZZ_FACTOR },
  );
});

test('mutated packets never throw and never take over 50 ms', () => {
  const mutation = fc.tuple(fc.nat(1500), fc.nat(255));
  fc.assert(
    fc.property(
      packetWith(optionsArbitrary(300, 8)),
      fc.array(mutation, { maxLength: 12 }),
      (packet, changes) => {
        const bytes = encode(packet, { maxBytes: 16384 });
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        readEverything(bytes);
        readEverything(bytes.subarray(0, changes[0]?.[0] ?? 0));
      },
    ),
    { seed: SEED, numRuns: 1000 * FUZZ_FACTOR },
  );
});

const STRUCTURED = [classlessRoutes, domainSearch, ipxe, machineId, pxeVendor, relayAgent, userClasses];

const HEAVIEST: { name: string; bytes: number[] }[] = [
  { name: 'nothing but padding', bytes: [0] },
  { name: 'nothing but empty pieces of one option', bytes: [OPTION.relayAgent, 0] },
  { name: 'nothing but tiny pieces of one option', bytes: [OPTION.domainSearch, 1, 0xc0] },
  { name: 'user classes of one letter', bytes: [OPTION.userClasses, 2, 1, 97] },
  { name: 'domains that are only pointers', bytes: [OPTION.domainSearch, 4, 1, 97, 0xc0, 0] },
  { name: 'routes in pieces', bytes: [OPTION.classlessRoutes, 5, 0, 1, 1, 1, 1] },
];
for (const { name, bytes } of HEAVIEST) {
  test(`the longest datagram of ${name} is read in 50 ms`, () => {
    const room = MAX_DATAGRAM_BYTES - 240;
    readEverything(rawRequest(Array.from({ length: room }, (_, at) => bytes[at % bytes.length] ?? 0)));
    readEverything(
      rawRequest(
        Array.from({ length: room - (room % bytes.length) }, (_, at) => bytes[at % bytes.length] ?? 0),
      ),
    );
  });
}

/** Decodes, and reads the options whose values have structure; thrice if slow, as the machine itself may pause. */
function readEverything(bytes: Uint8Array): void {
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && fastestMs >= 50; attempt++) {
    const startedMs = performance.now();
    const decoded = decode(bytes);
    if (decoded.ok) {
      for (const option of STRUCTURED) option.read(decoded.packet.options);
    }
    fastestMs = Math.min(fastestMs, performance.now() - startedMs);
  }
  assert.ok(fastestMs < 50, `took ${fastestMs} ms`);
}

function encodedWithin(packet: DhcpPacket, maxBytes: number): Uint8Array | undefined {
  try {
    return encode(packet, { maxBytes });
  } catch (error) {
    assert.ok(error instanceof RangeError);
    return undefined;
  }
}

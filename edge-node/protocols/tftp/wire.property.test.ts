import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Terms } from './index.ts';
import { termsOf } from './testing/terms.ts';
import { send, type Weather } from './testing/wire.ts';

const SEED = 20260101;
/** BOOTSWARM_FUZZ_FACTOR=100 tries for longer. */
const FUZZ_FACTOR = Number(process.env['BOOTSWARM_FUZZ_FACTOR'] ?? 1);
const FINE: Weather = { seed: 0, lossPercent: 0, duplicatePercent: 0, reorderPercent: 0 };

// fast-check keeps arrays near ten elements unless told: not even one block.
const file = fc.uint8Array({ maxLength: 6000, size: 'max' }).map((bytes) => Uint8Array.from(bytes));
const terms: fc.Arbitrary<Terms> = fc
  .record({ blockBytes: fc.integer({ min: 8, max: 600 }), windowSize: fc.integer({ min: 1, max: 16 }) })
  .map(termsOf);
const plainTerms = fc.constantFrom(termsOf(), termsOf({ blockBytes: 8 }), termsOf({ blockBytes: 64 }));

test('in fine weather each block travels once', () => {
  fc.assert(
    fc.property(file, fc.oneof(terms, plainTerms), (bytes, agreed) => {
      const voyage = send(bytes, agreed, FINE);
      assert.equal(voyage.ending, 'complete');
      assert.deepEqual(voyage.arrived, bytes);
      assert.equal(voyage.dataPackets, blocksOf(bytes, agreed));
    }),
    { seed: SEED, numRuns: 300 * FUZZ_FACTOR },
  );
});

test('duplicates alone make no block travel twice, a block at a time', () => {
  fc.assert(
    fc.property(file, plainTerms, fc.nat(), (bytes, agreed, seed) => {
      const voyage = send(bytes, agreed, { ...FINE, seed, duplicatePercent: 30 });
      assert.deepEqual(voyage.arrived, bytes);
      assert.equal(voyage.dataPackets, blocksOf(bytes, agreed));
    }),
    { seed: SEED, numRuns: 300 * FUZZ_FACTOR },
  );
});

test('with 20 % loss, 5 % duplicates and reordering every file arrives byte by byte', () => {
  let lost = 0;
  let dataPackets = 0;
  fc.assert(
    fc.property(file, fc.oneof(terms, plainTerms), fc.nat(), (bytes, agreed, seed) => {
      const weather = { seed, lossPercent: 20, duplicatePercent: 5, reorderPercent: 5 };
      let voyage = send(bytes, agreed, weather);
      // A client that hears nothing asks again: the server gives up an unheard one after three packets.
      for (let attempt = 1; voyage.ending === 'timed out' && attempt < 4; attempt++) {
        lost++;
        voyage = send(bytes, agreed, { ...weather, seed: seed + attempt });
      }
      dataPackets += voyage.dataPackets;
      assert.equal(voyage.ending, 'complete');
      assert.deepEqual(voyage.arrived, bytes);
    }),
    { seed: SEED, numRuns: 500 * FUZZ_FACTOR },
  );
  // 0.36 to the third of 500 is 23.
  assert.ok(lost < 50, `${lost} of 500 clients had to ask again`);
  assert.ok(dataPackets > 10_000, `only ${dataPackets} packets saw the weather`);
});

const MANY_BLOCKS = [
  { name: 'a block at a time', agreed: termsOf({ blockBytes: 8 }), weather: FINE },
  { name: 'in windows of 16', agreed: termsOf({ blockBytes: 8, windowSize: 16 }), weather: FINE },
  {
    name: 'in windows of 16, with loss',
    agreed: termsOf({ blockBytes: 8, windowSize: 16 }),
    weather: { ...FINE, seed: 7, lossPercent: 1, reorderPercent: 1 },
  },
];
for (const { name, agreed, weather } of MANY_BLOCKS) {
  test(`block numbers roll over twice, ${name}`, () => {
    const bytes = Uint8Array.from({ length: 8 * 140_000 + 3 }, (_, at) => (at * 2654435761) >>> 24);
    const voyage = send(bytes, agreed, weather);
    assert.equal(voyage.ending, 'complete');
    assert.ok(Buffer.from(bytes).equals(voyage.arrived));
    if (weather === FINE) assert.equal(voyage.dataPackets, blocksOf(bytes, agreed));
  });
}

function blocksOf(bytes: Uint8Array, { blockBytes }: Terms): number {
  return Math.floor(bytes.length / blockBytes) + 1;
}

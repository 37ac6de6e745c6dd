import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseAnswer } from './http-answer.ts';
import { parseRange } from './range.ts';

const many = (count: number): string => Array.from({ length: count }, (_, n) => `${n * 4}-${n * 4}`).join();

const cases: readonly (readonly [string | undefined, unknown])[] = [
  [undefined, 'whole'],
  ['bytes=0-9', [[0, 10]]],
  ['Bytes=0-9', [[0, 10]]],
  ['bytes=90-', [[90, 100]]],
  ['bytes=90-500', [[90, 100]]],
  ['bytes=-5', [[95, 100]]],
  ['bytes=-500', [[0, 100]]],
  ['bytes=99-99', [[99, 100]]],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-,200-300,-0', 'unsatisfiable'],
  ['bytes=9-5', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=', 'whole'],
  ['bytes=,', 'whole'],
  ['items=0-9', 'whole'],
  ['bytes=99999999999999999999-', 'whole'],
  // Several.
  [
    'bytes=0-1,5-6',
    [
      [0, 2],
      [5, 7],
    ],
  ],
  [
    'bytes= 0-1 , ,5-6, -3',
    [
      [0, 2],
      [5, 7],
      [97, 100],
    ],
  ],
  [
    'bytes=0-4,5-9',
    [
      [0, 5],
      [5, 10],
    ],
  ],
  ['bytes=0-1,200-', [[0, 2]]],
  ['bytes=0-1,x', 'whole'],
  ['bytes=0-1,7-3', 'whole'],
  // Overlapping, out of order, too many.
  ['bytes=0-,0-,0-', 'whole'],
  ['bytes=0-5,5-9', 'whole'],
  ['bytes=50-,-60', 'whole'],
  ['bytes=5-6,0-1', 'whole'],
  [`bytes=${many(17)}`, 'whole'],
  [`bytes=0-1,${' '.repeat(1100)}5-6`, 'whole'],
];

for (const [header, wanted] of cases)
  test(`of 100 bytes, ${header?.slice(0, 60) ?? 'no header'}`, () => {
    const answer = parseRange(header, 100);
    const ranges = answer.kind === 'part' ? [answer.range] : answer.kind === 'parts' ? answer.ranges : [];
    const got = ranges.length > 0 ? ranges.map(({ start, end }) => [start, end]) : answer.kind;
    assert.deepEqual(got, wanted);
  });

test('sixteen ranges are answered, in a file that is large enough', () => {
  assert.equal(parseRange(`bytes=${many(16)}`, 100).kind, 'parts');
});

test('no set of ranges gets more bytes than the whole', () => {
  const spec = fc.oneof(
    fc.tuple(fc.nat(300), fc.nat(300)).map(([from, to]) => `${from}-${to}`),
    fc.nat(300).map((from) => `${from}-`),
    fc.nat(300).map((last) => `-${last}`),
  );
  const orderly = fc
    .uniqueArray(fc.nat(300), { maxLength: 20 })
    .map((bytes) => bytes.toSorted((a, b) => a - b).map((byte) => `${byte}-${byte}`));
  const specs = fc.oneof(orderly, fc.array(spec, { maxLength: 40 }));
  fc.assert(
    fc.property(specs, fc.nat(4000), (specs, size) => {
      const request = { method: 'GET', headers: { range: `bytes=${specs.join(',')}` } };
      const { headers } = chooseAnswer(request, { sha256: 'c'.repeat(64) }, size);
      assert.ok(Number(headers['content-length']) <= size);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCsv } from './csv.ts';

const cellsOf = (text: string): unknown => {
  const parsed = parseCsv(text);
  return parsed.ok ? parsed.records.map(({ line, cells }) => [line, ...cells]) : [parsed.line, parsed.reason];
};

const cases: readonly (readonly [what: string, text: string, wanted: unknown])[] = [
  ['nothing', '', []],
  ['cells without their blanks', 'a, b ,c\n', [[1, 'a', 'b', 'c']]],
  [
    'no line end behind the last',
    'a\nb',
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'line ends of Windows and of old Macs',
    'a\r\nb\rc\n',
    [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ],
  ],
  ['a byte order mark', '\uFEFFa,b', [[1, 'a', 'b']]],
  [
    'empty lines, and lines of commas',
    'a\n\n,,\n \nb',
    [
      [1, 'a'],
      [5, 'b'],
    ],
  ],
  ['commas and doubled quotes in quotes', '"a,b","say ""hi"""', [[1, 'a,b', 'say "hi"']]],
  [
    'lines after a cell of several',
    'a,"b\nc\r\nd",e\nf',
    [
      [1, 'a', 'b\nc\r\nd', 'e'],
      [4, 'f'],
    ],
  ],
  ['blanks that are quoted', '" a " ,b', [[1, ' a ', 'b']]],
  ['an empty cell at the end', 'a,\n', [[1, 'a', '']]],
];
for (const [what, text, wanted] of cases)
  test(`${what} are read`, () => {
    assert.deepEqual(cellsOf(text), wanted);
  });

const faults: readonly (readonly [text: string, line: number, reason: RegExp])[] = [
  ['a\nb,"c\nd', 2, /does not end/],
  ['a\n5" disk,b', 2, /a quote stands inside '5'/],
  ['"a"b', 1, /behind a quoted cell/],
  [`a\n${','.repeat(300)}`, 2, /more than 256 cells/],
];
for (const [text, line, reason] of faults)
  test(`${JSON.stringify(text.slice(0, 20))} is refused with its line`, () => {
    const parsed = parseCsv(text);
    assert.ok(!parsed.ok);
    assert.equal(parsed.line, line);
    assert.match(parsed.reason, reason);
  });

test('whatever is written as CSV is read again, each record with its line', () => {
  const cell = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ') }));
  const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 8 });
  fc.assert(
    fc.property(table, fc.constantFrom('\n', '\r\n'), (rows, end) => {
      const written = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
      const parsed = parseCsv(written.join(end));
      assert.ok(parsed.ok);
      let line = 1;
      const wanted = rows.flatMap((cells, at) => {
        const record = { line, cells };
        line += (written[at] ?? '').split(/\r\n|\r|\n/).length;
        return cells.some((text) => text !== '') ? [record] : [];
      });
      assert.deepEqual(parsed.records, wanted);
    }),
  );
});

test('any text is read or refused, in time that grows with its length alone', () => {
  const sign = fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', '""', '\uFEFF');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(sign, { size: '+2' }).map((all) => all.join('')),
      ),
      (text) => {
        const parsed = parseCsv(text);
        if (!parsed.ok) assert.ok(parsed.line >= 1 && parsed.line <= text.length + 1);
      },
    ),
    { numRuns: 2000 },
  );
  const began = performance.now();
  parseCsv(`"${'""'.repeat(500_000)}`);
  parseCsv('a,b\n'.repeat(200_000));
  assert.ok(performance.now() - began < 30_000);
});

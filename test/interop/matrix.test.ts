import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsToFill, markdownOf } from './matrix.ts';

const rows = ['UEFI HTTP', 'dhclient'];

test('a pattern picks rows, columns or single cells', () => {
  const picked = (only?: string) => cellsToFill(rows, only).map(({ row, column }) => `${row} ${column}`);
  assert.equal(picked().length, 6);
  assert.deepEqual(picked('uefi'), ['UEFI HTTP dhcrelay', 'UEFI HTTP dnsmasq', 'UEFI HTTP direct']);
  assert.deepEqual(picked('/ direct'), ['UEFI HTTP direct', 'dhclient direct']);
  assert.deepEqual(picked('dhclient / dns'), ['dhclient dnsmasq']);
  assert.deepEqual(picked('toaster'), []);
});

test('the matrix is a table of Markdown, in which a failure says why', () => {
  const cells = [
    { row: 'dhclient', column: 'direct', ok: true, seconds: 0.12, detail: '' },
    { row: 'UEFI HTTP', column: 'direct', ok: false, seconds: 300, detail: 'no kernel |\nafter 300 s' },
    { row: 'UEFI HTTP', column: 'dhcrelay', ok: true, seconds: 38.4, detail: 'x' },
  ] as const;
  assert.equal(
    markdownOf(rows, cells),
    [
      '| | behind `dhcrelay` | direct |',
      '|---|---|---|',
      '| UEFI HTTP | 38 s, x | **failed**: no kernel \\| after 300 s |',
      '| dhclient |  | 0.1 s |',
    ].join('\n'),
  );
});

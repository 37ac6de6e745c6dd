import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelWarningIn, tailOf } from './kernel-log.ts';

const cases: readonly (readonly [what: string, record: string, line: string | undefined])[] = [
  [
    'an error of a disk, without its properties',
    '3,812,12345678,-;blk_update_request: I/O error, dev sda, sector 2048\n SUBSYSTEM=block\n DEVICE=b8:0\n',
    'kernel 12.345678 s  blk_update_request: I/O error, dev sda, sector 2048',
  ],
  ['a warning', '4,1,5,-,caller=T1;ata1: slow\x1b[2J \u00e4\n', 'kernel 0.000005 s  ata1: slow [2J  '],
  ['a notice', '5,2,5,-;random: crng init done\n', undefined],
  ['what a program wrote there', '11,3,5,-;systemd: error\n', undefined],
  ['what is no record', 'text', undefined],
];
for (const [what, record, line] of cases)
  test(`the log of the kernel: ${what} is ${line === undefined ? 'not told' : 'told'}`, () => {
    assert.equal(kernelWarningIn(record)?.line, line);
  });

test('the last of the log is told, whole lines of it', () => {
  assert.deepEqual(tailOf(['aaaa', 'bbb', 'cc'], 5), ['bbb', 'cc']);
  assert.deepEqual(tailOf(['aaaa', 'bbb', 'cc'], 9), ['aaaa', 'bbb', 'cc']);
  assert.deepEqual(tailOf(['aaaa'], 3), []);
  assert.deepEqual(tailOf([], 3), []);
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { planCuts } from './power-cuts.ts';
import { keptAfterCut, type LoggedWrite, readWriteLog, replay } from './write-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-write-log-'));
after(() => rmSync(folder, { recursive: true }));

const write = (sector: number, byte: number): Buffer[] => [entry(sector, 1, 0n), Buffer.alloc(512, byte)];
const FLUSH = 1n;
const DISCARD = 4n;

/** As dm-log-writes has it: sector, sectors, flags, length of a mark's text. */
function entry(sector: number, sectors: number, flags: bigint): Buffer {
  const head = Buffer.alloc(512);
  head.writeBigUInt64LE(BigInt(sector), 0);
  head.writeBigUInt64LE(BigInt(sectors), 8);
  head.writeBigUInt64LE(flags, 16);
  return head;
}

function logOf(...parts: readonly Buffer[]): string {
  const head = Buffer.alloc(512);
  head.writeBigUInt64LE(0x6a736677736872n, 0);
  const file = join(folder, 'log');
  writeFileSync(file, Buffer.concat([head, ...parts]));
  return file;
}

const LOG = [
  ...write(1, 0x11),
  entry(0, 0, FLUSH),
  ...write(2, 0x22),
  entry(3, 8, DISCARD),
  ...write(1, 0x33),
];

describe('a log of what a disk was asked', () => {
  test('is read in its order, and what follows it is no part of it', () => {
    const kinds = (file: string) => readWriteLog(file).map(({ kind, start }) => `${kind} ${start}`);
    const expected = ['write 512', 'flush 0', 'write 1024', 'discard 1536', 'write 512'];
    assert.deepEqual(kinds(logOf(...LOG)), expected);
    assert.deepEqual(kinds(logOf(...LOG, Buffer.alloc(1024))), expected);
    writeFileSync(join(folder, 'empty'), '');
    assert.deepEqual(readWriteLog(join(folder, 'empty')), []);
  });

  test('makes the disk that was left: what was flushed is there, and of the rest what luck would have', () => {
    const log = logOf(...LOG);
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    writeFileSync(from, Buffer.alloc(4096, 0xff));
    const left = (count: number, isLucky: boolean): readonly number[] => {
      const entries = readWriteLog(log);
      replay(
        from,
        to,
        log,
        keptAfterCut(entries, count, () => isLucky),
      );
      const disk = readFileSync(to);
      return [0, 1, 2, 3].map((sector) => disk[sector * 512] ?? 0);
    };
    assert.deepEqual(left(0, true), [0xff, 0xff, 0xff, 0xff]);
    assert.deepEqual(left(1, true), [0xff, 0x11, 0xff, 0xff]);
    assert.deepEqual(left(1, false), [0xff, 0xff, 0xff, 0xff]);
    assert.deepEqual(left(2, false), [0xff, 0x11, 0xff, 0xff]);
    assert.deepEqual(left(5, true), [0xff, 0x33, 0x22, 0xff]);
    assert.deepEqual(left(5, false), [0xff, 0x11, 0xff, 0xff]);
    assert.ok(readFileSync(from).every((byte) => byte === 0xff));
  });
});

test('cuts are the same for the same seed, and others for another', () => {
  const log = Array.from(
    { length: 500 },
    (_, index): LoggedWrite => ({
      kind: 'write',
      start: index % 100 === 0 ? 0 : 2 ** 24,
      length: 512,
      data: 0,
      isKept: false,
    }),
  );
  const counts = (seed: number) => planCuts(log, 40, seed).map(({ count }) => count);
  assert.deepEqual(counts(7), counts(7));
  assert.notDeepEqual(counts(7), counts(8));
  assert.ok(counts(7).every((count) => count >= 0 && count <= log.length + 2));
  const near = counts(7).filter((count) => count % 100 < 3).length;
  assert.ok(near >= 20, `${near} of 40 are near what decides`);
});

import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { PieceCache, PieceMemory } from './piece-cache.ts';
import { PieceSet } from './piece-set.ts';
import { FilePieces, MemoryPieces, type PieceStore } from './piece-store.ts';
import { makeSample, type Sample } from './testing/sample.ts';

const KIB = 1024;

async function pathFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-pieces-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'root.squashfs');
}

const pieceOf = ({ artefact: { pieceBytes }, bytes }: Sample, index: number): Buffer =>
  bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes);

const DRIVERS: Readonly<Record<string, (t: TestContext, sample: Sample) => Promise<PieceStore>>> = {
  memory: async (_, { artefact }) => new MemoryPieces(artefact),
  'a file': async (t, { artefact }) => {
    const store = await FilePieces.resume(artefact, await pathFor(t));
    t.after(() => store[Symbol.asyncDispose]());
    return store;
  },
  'a place in a disk': async (t, { artefact }) => {
    const path = await pathFor(t);
    await (await open(path, 'w')).close();
    await truncate(path, 1_000_000);
    const store = await FilePieces.resume(artefact, path, { offset: 4096 });
    t.after(() => store[Symbol.asyncDispose]());
    return store;
  },
};

for (const [driver, make] of Object.entries(DRIVERS))
  describe(driver, () => {
    test('gives what was written, in any order, the shorter last piece too', async (t) => {
      const sample = await makeSample(100 * KIB, 32 * KIB);
      const store = await make(t, sample);
      assert.equal(store.have.size, 0);
      await Promise.all([3, 0, 2].map((index) => store.write(index, pieceOf(sample, index))));
      const into = new Uint8Array(32 * KIB);
      for (const index of [0, 2, 3])
        assert.equal(Buffer.compare(await store.read(index, into), pieceOf(sample, index)), 0);
      assert.deepEqual(
        [0, 1, 2, 3].map((index) => store.have.has(index)),
        [true, false, true, true],
      );
    });
  });

describe('a file that is there', () => {
  test('keeps what is right, is cut where it is too long, and tells what it looked at', async (t) => {
    const sample = await makeSample(100 * KIB, 32 * KIB);
    const path = await pathFor(t);
    const file = await open(path, 'w');
    await file.write(Buffer.concat([sample.bytes, Buffer.alloc(50)]));
    await file.write(Buffer.of(1, 2, 3, 4), 0, 4, 40 * KIB);
    await file.close();
    const looked: (readonly [number, boolean])[] = [];
    await using store = await FilePieces.resume(sample.artefact, path, {
      onChecked: (index, isRight) => looked.push([index, isRight]),
    });
    assert.deepEqual(looked, [
      [0, true],
      [1, false],
      [2, true],
      [3, true],
    ]);
    assert.equal((await stat(path)).size, 100 * KIB);
    await store.write(1, pieceOf(sample, 1));
    await store.sync();
    assert.equal(Buffer.compare(await readFile(path), sample.bytes), 0);
  });

  test('that became shorter under a seed is told, and not read as something else', async (t) => {
    const sample = await makeSample(100 * KIB, 32 * KIB);
    const path = await pathFor(t);
    const file = await open(path, 'w');
    await file.write(sample.bytes);
    await file.close();
    await using store = await FilePieces.whole(sample.artefact, path);
    await truncate(path, 90 * KIB);
    await assert.rejects(store.read(2, new Uint8Array(32 * KIB)), /could not be read back/);
  });
});

describe('the cache', () => {
  test('reads a piece once for all who wait, and never takes it from under one that holds it', async () => {
    const sample = await makeSample(320 * KIB, 32 * KIB);
    const store = new MemoryPieces(sample.artefact, sample.bytes);
    let reads = 0;
    const read = store.read.bind(store);
    store.read = (index, into) => {
      reads += 1;
      return read(index, into);
    };
    const cache = new PieceCache(sample.artefact, store, new PieceMemory(32 * KIB, 4), 2);
    assert.equal(cache.held(0), undefined);
    await Promise.all([cache.load(0), cache.load(0), cache.load(0)]);
    assert.equal(reads, 1);
    const held = cache.held(0);
    for (const index of [1, 2, 3, 4, 5]) await cache.load(index);
    assert.equal(Buffer.compare(held?.bytes as Uint8Array, pieceOf(sample, 0)), 0);
    held?.release();
    await cache.load(6);
    assert.equal(cache.held(0), undefined);
  });

  test('tells everyone who waits that a piece could not be read, and tries again', async () => {
    const sample = await makeSample(64 * KIB, 32 * KIB);
    const store = new MemoryPieces(sample.artefact, sample.bytes);
    const read = store.read.bind(store);
    store.read = () => Promise.reject(new Error('EIO'));
    const cache = new PieceCache(sample.artefact, store, new PieceMemory(32 * KIB, 4), 2);
    const both = await Promise.allSettled([cache.load(1), cache.load(1)]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    store.read = read;
    await cache.load(1);
    assert.equal(Buffer.compare(cache.held(1)?.bytes as Uint8Array, pieceOf(sample, 1)), 0);
  });
});

describe('a set of pieces', () => {
  test('is a bitfield, the first piece in the highest bit', () => {
    const set = new PieceSet(10);
    for (const index of [0, 3, 9]) assert.equal(set.add(index), true);
    assert.equal(set.add(3), false);
    assert.deepEqual([...set.bits], [0b10010000, 0b01000000]);
    const read = PieceSet.fromBits(10, set.bits);
    assert.deepEqual([read?.size, read?.has(3), read?.has(4), read?.isWhole], [3, true, false, false]);
  });

  test('takes no bits behind its end, and no other length', () => {
    assert.equal(PieceSet.fromBits(10, Uint8Array.of(0, 0b00100000)), undefined);
    assert.equal(PieceSet.fromBits(10, new Uint8Array(3)), undefined);
    assert.equal(PieceSet.fromBits(8, Uint8Array.of(0xff))?.isWhole, true);
    assert.equal(new PieceSet(10).add(10), false);
  });
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ChunkIndex, ChunkIndexUnreadable, deltaOf, isChunkIndex, makeChunkIndex } from './chunks.ts';
import { CHUNK_BYTES, type Chunk, ChunkCutter } from './chunks-cut.ts';
import { sha256Of } from './digest.ts';

/** Bytes that look like chance and are the same on every machine. */
function noise(length: number, seed = 1): Buffer {
  const key = createHash('sha256').update(`noise ${seed}`).digest();
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(key).update(String(at)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

function cut(bytes: Uint8Array): Chunk[] {
  const cutter = new ChunkCutter();
  return [...cutter.update(bytes), ...cutter.end()];
}

const made = async (bytes: Uint8Array): Promise<Uint8Array> =>
  (await makeChunkIndex(ReadableStream.from([bytes]))) ?? assert.fail('more chunks than an index holds');
const lengthsOf = (chunks: readonly Chunk[]): number[] => chunks.map(({ length }) => length);
const indexOf = async (bytes: Uint8Array): Promise<ChunkIndex> => new ChunkIndex(await made(bytes));

const bytes = noise(300_000);

describe('cutting', () => {
  test('is the same for ever: who cuts otherwise shares nothing with the releases that there are', async () => {
    const chunks = cut(bytes);
    assert.deepEqual(lengthsOf(chunks).slice(0, 5), [13_020, 8750, 22_143, 5886, 32_729]);
    assert.equal(
      sha256Of(JSON.stringify(lengthsOf(cut(noise(2_000_000, 2))))),
      'ccc2d70ec8923fd6d1bd640d83d781d6d84de370faf8afa7f51368301396c5e1',
    );
  });

  test('does not depend on how the bytes come', async () => {
    const whole = cut(bytes);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), async (parts) => {
        const cutter = new ChunkCutter();
        const chunks: Chunk[] = [];
        for (let [at, n] = [0, 0]; at < bytes.length; n++) {
          const part = bytes.subarray(at, at + (parts[n % parts.length] ?? 1));
          chunks.push(...cutter.update(part));
          at += part.length;
        }
        assert.deepEqual([...chunks, ...cutter.end()], whole);
      }),
      { numRuns: 30 },
    );
  });

  test('keeps to its lengths, leaves nothing out, and hashes what it cut', async () => {
    const cases = {
      noise: bytes,
      zeros: Buffer.alloc(200_000),
      one: Buffer.from('x'),
      empty: Buffer.alloc(0),
    };
    for (const [name, each] of Object.entries(cases)) {
      const chunks = cut(each);
      let at = 0;
      for (const [index, { length, sha256 }] of chunks.entries()) {
        assert.ok(length <= CHUNK_BYTES.most, name);
        assert.ok(length >= CHUNK_BYTES.least || index === chunks.length - 1, name);
        assert.equal(Buffer.from(sha256).toString('hex'), sha256Of(each.subarray(at, at + length)), name);
        at += length;
      }
      assert.equal(at, each.length, name);
    }
  });

  test('finds again what was moved: only the chunks around an edit are new', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), fc.integer({ min: 0, max: 3000 }), async (at, removed) => {
        const edited = Buffer.concat([bytes.subarray(0, at), noise(777, 3), bytes.subarray(at + removed)]);
        const { fetchBytes } = deltaOf([await indexOf(bytes)], await indexOf(edited));
        assert.ok(fetchBytes <= 777 + 3 * CHUNK_BYTES.most, `${fetchBytes} bytes`);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a chunk index', () => {
  test('tells of each chunk where it stands and what it is', async () => {
    const chunks = cut(bytes);
    const encoded = await made(bytes);
    assert.ok(isChunkIndex(encoded));
    const index = new ChunkIndex(encoded);
    assert.equal(index.sha256, sha256Of(bytes));
    assert.equal(index.length, bytes.length);
    assert.equal(index.count, chunks.length);
    for (const [at, { sha256 }] of chunks.entries()) {
      const { start, end } = index.rangeOf(at);
      assert.equal(sha256Of(bytes.subarray(start, end)), Buffer.from(sha256).toString('hex'));
      assert.equal(index.hashOf(at), Buffer.from(sha256).toString('latin1'));
      assert.equal(index.indexAt(start), at);
      assert.equal(index.indexAt(end - 1), at);
    }
  });

  test('that is cut short or longer, or says what cannot be, is not read', async () => {
    const good = Buffer.from(await made(bytes));
    const cases: Record<string, Buffer> = {
      empty: Buffer.alloc(0),
      'without chunks': good.subarray(0, 48),
      'with half a chunk': good.subarray(0, -1),
      'with a chunk too few': good.subarray(0, -36),
      'with another magic': Buffer.concat([Buffer.from('BSWCHNK2'), good.subarray(8)]),
      'with an empty chunk': Buffer.from(good).fill(0, 48, 52),
      'with an endless chunk': Buffer.from(good).fill(0xff, 48, 52),
      'with another length': Buffer.from(good).fill(0xff, 40, 48),
    };
    for (const [name, each] of Object.entries(cases))
      assert.throws(() => new ChunkIndex(each), ChunkIndexUnreadable, name);
  });

  test('of any bytes is read in full or refused by name, whatever they are', () => {
    const header = Buffer.from('BSWCHNK1');
    const anything = fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([header, tail]));
    fc.assert(
      fc.property(anything, (each) => {
        try {
          const index = new ChunkIndex(each);
          assert.equal(index.rangeOf(index.count - 1).end, index.length);
        } catch (error) {
          assert.ok(error instanceof ChunkIndexUnreadable);
        }
      }),
    );
  });
});

test('a delta counts what no held artefact has', async () => {
  const [one, two] = [noise(100_000, 4), noise(100_000, 5)];
  const [held, other, wanted] = [
    await indexOf(one),
    await indexOf(two),
    await indexOf(Buffer.concat([one, two])),
  ];
  assert.deepEqual(deltaOf([], wanted), { fetchBytes: 200_000, reuseBytes: 0 });
  assert.deepEqual(deltaOf([wanted], wanted), { fetchBytes: 0, reuseBytes: 200_000 });
  const { fetchBytes, reuseBytes } = deltaOf([held, other], wanted);
  assert.equal(fetchBytes + reuseBytes, 200_000);
  assert.ok(fetchBytes <= 2 * CHUNK_BYTES.most);
});

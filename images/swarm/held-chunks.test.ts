import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  type Artefact,
  type ArtefactRole,
  digestOf,
  makeChunkIndex,
  sha256Of,
} from '@bootswarm/images/format';
import fc from 'fast-check';
import { ArtefactFolder } from './artefact-folder.ts';
import type { ArtefactSource } from './artefact-source.ts';
import { fetchArtefact } from './fetch-artefact.ts';
import type { ByteRange } from './range.ts';
import { isWrongHash } from './wrong-hash.ts';

const PIECE = 64 * 1024;
const INDEX_HEADER = 48;
const never = new AbortController().signal;

/** Bytes that look like chance and are the same on every machine. */
function noise(length: number, seed: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

interface Packed {
  readonly bytes: Buffer;
  readonly artefact: Artefact;
}

async function pack(role: ArtefactRole, bytes: Buffer): Promise<Packed> {
  const { pieces, ...digest } = await digestOf(ReadableStream.from([bytes]), () => {}, PIECE);
  return { bytes, artefact: { role, name: `${role}.bin`, ...digest, pieces: [...pieces] } };
}

interface Release {
  readonly root: Packed;
  readonly chunks: Packed;
}

async function releaseOf(bytes: Buffer): Promise<Release> {
  const index = (await makeChunkIndex(ReadableStream.from([bytes]))) ?? assert.fail();
  return { root: await pack('root', bytes), chunks: await pack('chunks', Buffer.from(index)) };
}

const shared = [noise(300_000, 1), noise(200_000, 2), noise(150_000, 3)] as const;
const older = await releaseOf(Buffer.concat([shared[0], noise(40_000, 4), shared[1], shared[2]]));
const newer = await releaseOf(
  Buffer.concat([noise(10_000, 5), shared[1], shared[0], noise(30_000, 6), shared[2]]),
);
const NEW_BYTES = 40_000;
/** Chunks that hold the border of something new, at both its ends. */
const BORDER_BYTES = 4 * 64 * 1024;

/** Sends what a release holds. */
class Source implements ArtefactSource {
  readonly ranges: ByteRange[] = [];
  sentBytes = 0;
  /** Asked for and not sent to their ends, and most of them at once. */
  open = 0;
  mostOpen = 0;
  /** Breaks off after as many bytes in all. */
  most = Number.POSITIVE_INFINITY;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  async read(_: Artefact, range: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    this.ranges.push(range);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    return this.#send(this.#bytes.subarray(range.start, range.end));
  }

  async *#send(bytes: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 5000) {
      const part = bytes.subarray(at, at + 5000);
      if (this.sentBytes + part.length > this.most) throw new Error('connection lost');
      this.sentBytes += part.length;
      yield part;
    }
    this.open -= 1;
  }
}

interface Files {
  readonly olderRoot?: Buffer;
  readonly olderChunks?: Buffer;
  readonly newerChunks?: Buffer;
}

/** A folder that holds the older release and the index of the newer one, as given or as they should be. */
async function withFolder<T>(files: Files, run: (folder: ArtefactFolder) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'bootswarm-chunks-'));
  try {
    const folder = await ArtefactFolder.open(path);
    const put = ({ artefact, bytes }: Packed, instead = bytes): Promise<void> =>
      writeFile(folder.pathOf(artefact.sha256), instead);
    await put(older.root, files.olderRoot);
    await put(older.chunks, files.olderChunks);
    await put(newer.chunks, files.newerChunks);
    return await run(folder);
  } finally {
    await rm(path, { recursive: true });
  }
}

const fetchNewer = (folder: ArtefactFolder, source: ArtefactSource, chunks = newer.chunks.artefact.sha256) =>
  fetchArtefact(newer.root.artefact, { folder, source, chunks, signal: never });

const isNewer = async (folder: ArtefactFolder): Promise<boolean> =>
  newer.root.bytes.equals(await readFile(folder.pathOf(newer.root.artefact.sha256)));

function flipped(bytes: Buffer, bit: number): Buffer {
  const spoilt = Buffer.from(bytes);
  spoilt[bit >> 3] = (spoilt[bit >> 3] as number) ^ (1 << (bit & 7));
  return spoilt;
}

const bitOf = ({ bytes }: Packed): fc.Arbitrary<number> => fc.nat(bytes.length * 8 - 1);

describe('an artefact of which another one holds a part', () => {
  test('is copied from it, moved or not, and only what is new is fetched', () =>
    withFolder({}, async (folder) => {
      const source = new Source(newer.root.bytes);
      const { fetchedBytes, reusedBytes, keptBytes } = await fetchNewer(folder, source);
      assert.ok(await isNewer(folder));
      assert.equal(fetchedBytes, source.sentBytes);
      assert.ok(
        fetchedBytes >= NEW_BYTES && fetchedBytes <= NEW_BYTES + BORDER_BYTES,
        `${fetchedBytes} bytes`,
      );
      assert.equal(reusedBytes + fetchedBytes, newer.root.bytes.length);
      assert.equal(keptBytes, 0);
      assert.ok(source.ranges.length <= 5, 'neighbours are fetched together');
    }));

  test('is fetched whole where there is no index of it', () =>
    withFolder({}, async (folder) => {
      // The right chunks, said to be those of something else.
      const other = flipped(newer.chunks.bytes, 8 * 8);
      await writeFile(folder.pathOf(sha256Of(other)), other);
      const wrong = [
        older.chunks.artefact.sha256,
        older.root.artefact.sha256,
        'a'.repeat(64),
        sha256Of(other),
      ];
      for (const chunks of wrong) {
        const source = new Source(newer.root.bytes);
        const { reusedBytes } = await fetchNewer(folder, source, chunks);
        assert.equal(reusedBytes, 0);
        assert.deepEqual(source.ranges, [{ start: 0, end: newer.root.bytes.length }]);
        assert.ok(await isNewer(folder));
        await folder.remove(newer.root.artefact.sha256);
      }
    }));

  test('is fetched whole where what its index is about is gone', () =>
    withFolder({}, async (folder) => {
      await folder.remove(older.root.artefact.sha256);
      const source = new Source(newer.root.bytes);
      assert.equal((await fetchNewer(folder, source)).reusedBytes, 0);
      assert.ok(await isNewer(folder));
    }));

  test('and that is new in many places is fetched in as many requests, four at a time', () =>
    withFolder({}, async (folder) => {
      const parts = Array.from({ length: 12 }, (_, at) => [
        older.root.bytes.subarray(at * 50_000, (at + 1) * 50_000),
        noise(6000, 100 + at),
      ]);
      const { root, chunks } = await releaseOf(Buffer.concat(parts.flat()));
      await writeFile(folder.pathOf(chunks.artefact.sha256), chunks.bytes);
      const source = new Source(root.bytes);
      const options = { folder, source, chunks: chunks.artefact.sha256, signal: never };
      const { reusedBytes } = await fetchArtefact(root.artefact, options);
      assert.ok(root.bytes.equals(await readFile(folder.pathOf(root.artefact.sha256))));
      assert.ok(reusedBytes > 0 && source.ranges.length > 6, `${source.ranges.length} requests`);
      assert.equal(source.mostOpen, 4);
      assert.equal(source.open, 0, 'each was read to its end');
    }));

  test('goes on after a kill with what was verified, wherever it came from', async () => {
    const needed = await withFolder({}, async (folder) => {
      const source = new Source(newer.root.bytes);
      await fetchNewer(folder, source);
      return source.sentBytes;
    });
    const cuts = fc.array(fc.nat(needed), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(cuts, (each) =>
        withFolder({}, async (folder) => {
          const tries = [...each.map((most) => most - 1), Number.POSITIVE_INFINITY];
          let stored = 0;
          for (const most of tries) {
            const source = new Source(newer.root.bytes);
            source.most = most;
            const outcome = await fetchNewer(folder, source).catch((error: Error) => error);
            if (outcome instanceof Error) {
              assert.equal(outcome.message, 'connection lost');
              const received = await folder.receivedBytes(newer.root.artefact.sha256);
              assert.ok(received >= stored, 'what was verified stays');
              assert.ok(
                newer.root.bytes
                  .subarray(0, received)
                  .equals(await readFile(folder.partialPathOf(newer.root.artefact.sha256))),
              );
              stored = received;
              continue;
            }
            assert.equal(outcome.keptBytes, stored);
            assert.ok(outcome.fetchedBytes <= needed, 'and nothing before it is fetched again');
            break;
          }
          assert.ok(await isNewer(folder));
        }),
      ),
      { numRuns: 15 },
    );
  });
});

describe('one changed bit', () => {
  const isRightAfterAll = (files: Files): Promise<void> =>
    withFolder(files, async (folder) => {
      const source = new Source(newer.root.bytes);
      await fetchNewer(folder, source);
      assert.ok(await isNewer(folder));
      assert.ok(source.sentBytes <= 2 * newer.root.bytes.length, 'nothing is fetched again and again');
    });

  test('in what is held never reaches an artefact: the piece is fetched', () =>
    fc.assert(
      fc.asyncProperty(bitOf(older.root), (bit) =>
        isRightAfterAll({ olderRoot: flipped(older.root.bytes, bit) }),
      ),
      { numRuns: 30 },
    ));

  test('in the index of what is held costs bytes at most', () =>
    fc.assert(
      fc.asyncProperty(bitOf(older.chunks), (bit) =>
        isRightAfterAll({ olderChunks: flipped(older.chunks.bytes, bit) }),
      ),
      { numRuns: 30 },
    ));

  test('in the index of what is wanted costs bytes at most', () =>
    fc.assert(
      fc.asyncProperty(bitOf(newer.chunks), (bit) =>
        isRightAfterAll({ newerChunks: flipped(newer.chunks.bytes, bit) }),
      ),
      { numRuns: 30 },
    ));

  test('in what the source sends is refused, and nothing wrong is stored', () =>
    fc.assert(
      fc.asyncProperty(bitOf(newer.root), (bit) =>
        withFolder({}, async (folder) => {
          const source = new Source(flipped(newer.root.bytes, bit));
          const outcome = await fetchNewer(folder, source).catch((error: unknown) => error);
          // It may stand where nothing was fetched.
          const wasFetched = source.ranges.some(({ start, end }) => bit >> 3 >= start && bit >> 3 < end);
          assert.equal(isWrongHash(outcome), wasFetched);
          assert.equal((await folder.list()).includes(newer.root.artefact.sha256), !wasFetched);
        }),
      ),
      { numRuns: 30 },
    ));
});

test('a piece that both what is held and the source have wrong is refused', () =>
  withFolder({ olderRoot: Buffer.alloc(older.root.bytes.length) }, async (folder) => {
    // In what is shared, so that it is asked for only because the copy is spoilt.
    const source = new Source(flipped(newer.root.bytes, 8 * 150_000));
    await assert.rejects(fetchNewer(folder, source), { name: 'WrongPiece', index: 2 });
    assert.equal(await folder.receivedBytes(newer.root.artefact.sha256), 2 * PIECE);
    assert.equal((await folder.list()).includes(newer.root.artefact.sha256), false);
  }));

test('an index whose chunks are held, but are not the chunks of the artefact, leads to fetching it', async () => {
  // It says that the newer root is made of the older one's chunks: their hashes are right, and they are in order.
  const lie = Buffer.concat([
    newer.chunks.bytes.subarray(0, INDEX_HEADER),
    older.chunks.bytes.subarray(INDEX_HEADER),
  ]);
  const same = await releaseOf(Buffer.concat([older.root.bytes.subarray(0, -1), Buffer.from('x')]));
  lie.set(createHash('sha256').update(same.root.bytes).digest(), 8);
  lie.writeBigUInt64BE(BigInt(same.root.bytes.length), 40);
  await withFolder({}, async (folder) => {
    const sha256 = sha256Of(lie);
    await writeFile(folder.pathOf(sha256), lie);
    const source = new Source(same.root.bytes);
    await fetchArtefact(same.root.artefact, { folder, source, chunks: sha256, signal: never });
    assert.ok(same.root.bytes.equals(await readFile(folder.pathOf(same.root.artefact.sha256))));
    const lastPiece = same.root.artefact.pieces.length - 1;
    assert.deepEqual(source.ranges, [{ start: lastPiece * PIECE, end: same.root.bytes.length }]);
  });
});

test('a held artefact that is all zeros by now is not copied from', () =>
  withFolder({ olderRoot: Buffer.alloc(older.root.bytes.length) }, async (folder) => {
    const source = new Source(newer.root.bytes);
    const { reusedBytes } = await fetchNewer(folder, source);
    assert.equal(reusedBytes, 0);
    assert.ok(await isNewer(folder));
  }));

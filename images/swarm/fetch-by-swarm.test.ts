import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Artefact, digestOf, makeChunkIndex } from '@bootswarm/images/format';
import { ArtefactFolder } from './artefact-folder.ts';
import { fetchBySwarm, lackOf, type SwarmFetchOptions } from './fetch-by-swarm.ts';
import { SwarmNode } from './peers/node.ts';
import { FilePieces, MemoryPieces } from './peers/piece-store.ts';
import { PoisonedStore } from './peers/testing/poisoned-store.ts';
import { WrongPiece } from './wrong-hash.ts';

const PIECE = 64 * 1024;
const INFOHASH = '12'.repeat(20);
const shared = randomBytes(20 * PIECE);
const older = Buffer.concat([randomBytes(3 * PIECE), shared]);
const newer = Buffer.concat([shared, randomBytes(3 * PIECE + 100)]);

async function artefactOf(bytes: Uint8Array): Promise<Artefact> {
  const { pieces, ...digest } = await digestOf(ReadableStream.from([bytes]), () => {}, PIECE);
  return { role: 'root', name: 'root.squashfs', ...digest, pieces: [...pieces], infohash: INFOHASH };
}
const artefact = await artefactOf(newer);

interface Bench {
  readonly folder: ArtefactFolder;
  /** SHA-256 of the index of what is fetched. */
  readonly chunks: string;
  readonly fetch: (options?: Partial<SwarmFetchOptions>) => ReturnType<typeof fetchBySwarm>;
  readonly node: SwarmNode;
}

/** A folder that holds an older release, and a node that fetches the newer one, from a seed where there is one. */
async function bench(t: TestContext, store?: MemoryPieces): Promise<Bench> {
  const path = await mkdtempDisposable(join(tmpdir(), 'bootswarm-swarm-fetch-'));
  const folder = await ArtefactFolder.open(path.path);
  for (const bytes of [older, newer]) {
    const index = (await makeChunkIndex(ReadableStream.from([bytes]))) ?? assert.fail();
    await writeFile(folder.pathOf((await artefactOf(index)).sha256), index);
  }
  await writeFile(folder.pathOf((await artefactOf(older)).sha256), older);
  const index = (await makeChunkIndex(ReadableStream.from([newer]))) ?? assert.fail();
  const chunks = (await artefactOf(index)).sha256;
  const isAllowed = (): boolean => true;
  const [node, seed] = [
    await SwarmNode.listen({ host: '127.0.9.1', isAllowed }),
    await SwarmNode.listen({ host: '127.0.9.2', isAllowed }),
  ];
  if (store) seed.join(artefact, INFOHASH, store);
  t.after(async () => {
    await Promise.all([node.stop(), seed.stop()]);
    await path.remove();
  });
  const signal = new AbortController().signal;
  const fetch: Bench['fetch'] = (options = {}) =>
    fetchBySwarm(artefact, {
      folder,
      signal,
      join: (pieces) => {
        const swarm = node.join(artefact, INFOHASH, pieces);
        swarm.addPeers([{ host: '127.0.9.2', port: seed.port }]);
        return swarm;
      },
      ...options,
    });
  return { folder, chunks, fetch, node };
}

const whole = (): MemoryPieces => new MemoryPieces(artefact, newer);

describe('fetching an artefact by a swarm', () => {
  test('puts together what is held, and takes the other pieces from peers', async (t) => {
    const { fetch, chunks, folder } = await bench(t, whole());
    const moved = { fetched: 0, reused: 0 };
    const { fetched, store } = await fetch({
      chunks,
      onMoved: (how, bytes) => {
        moved[how] += bytes;
      },
    });
    assert.deepEqual(await readFile(folder.pathOf(artefact.sha256)), newer);
    assert.equal(fetched.fetchedBytes + fetched.reusedBytes, newer.length);
    // The chunk at the border of what is new is held by nobody.
    assert.ok(fetched.reusedBytes >= 15 * PIECE, String(fetched.reusedBytes));
    assert.deepEqual(moved, { fetched: fetched.fetchedBytes, reused: fetched.reusedBytes });
    assert.ok(store.have.isWhole);
    await store[Symbol.asyncDispose]();
  });

  test('goes on giving it out of the store that it returns', async (t) => {
    const { fetch, node } = await bench(t, whole());
    await using store = (await fetch()).store;
    assert.ok(store.have.isWhole);
    const third = await SwarmNode.listen({ host: '127.0.9.3', isAllowed: () => true });
    t.after(() => third.stop());
    const pieces = new MemoryPieces(artefact);
    const swarm = third.join(artefact, INFOHASH, pieces);
    swarm.addPeers([{ host: '127.0.9.1', port: node.port }]);
    await swarm.completed;
    assert.deepEqual(Buffer.from(pieces.bytes), newer);
  });

  test('keeps what an earlier try left, wherever it stands, and checks it', async (t) => {
    const { fetch, folder } = await bench(t, whole());
    const left = Buffer.alloc(newer.length);
    newer.copy(left, 4 * PIECE, 4 * PIECE, 9 * PIECE);
    newer.copy(left, 20 * PIECE, 20 * PIECE);
    left[5 * PIECE] = (left[5 * PIECE] ?? 0) ^ 1;
    await writeFile(folder.partialPathOf(artefact.sha256), left);
    const { fetched, store } = await fetch();
    await store[Symbol.asyncDispose]();
    assert.equal(fetched.keptBytes, 4 * PIECE + (newer.length - 20 * PIECE));
    assert.deepEqual(await readFile(folder.pathOf(artefact.sha256)), newer);
  });

  test('tells after a while that nothing comes, keeps the pieces, and may be tried again', async (t) => {
    const { fetch, folder, chunks, node } = await bench(t);
    await assert.rejects(fetch({ chunks, stallMs: 600 }), /nothing came for 1 s from 0 peers/);
    const why = new Error('connection refused');
    await assert.rejects(fetch({ stallMs: 600, webseedError: () => why }), why);
    await using store = await FilePieces.resume(artefact, folder.partialPathOf(artefact.sha256));
    assert.ok(store.have.size >= 15, String(store.have.size));
    // The swarm was left: it may be joined anew.
    node.join(artefact, INFOHASH, store).leave();
  });

  test('never takes a wrong piece, and tells of one by HTTP as such', async (t) => {
    const { fetch, folder, node } = await bench(t, new PoisonedStore(artefact, newer, () => true));
    let webseedError: Error | undefined;
    const bad = async function* (bytes: Buffer): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(bytes.length);
    };
    const failing = fetch({
      stallMs: 6000,
      webseedError: () => webseedError,
      join: (pieces) =>
        node.join(artefact, INFOHASH, pieces, {
          webseed: { read: async (_, { start, end }) => bad(newer.subarray(start, end)) },
          onWebseedFailed: (error) => {
            webseedError = error;
          },
        }),
    });
    await assert.rejects(failing, WrongPiece);
    assert.equal(await folder.lengthOf(artefact.sha256), undefined);
  });

  test('ends with its signal', async (t) => {
    const { fetch } = await bench(t);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await assert.rejects(fetch({ signal: stop.signal }), { code: 'swarm_left' });
  });
});

test('what is lacking is told to the chunk, and in whole pieces', async (t) => {
  const { folder, chunks } = await bench(t);
  const { byRanges, byPieces } = await lackOf(artefact, { folder, chunks });
  assert.ok(byRanges >= 3 * PIECE && byRanges < byPieces && byPieces < 10 * PIECE, `${byRanges} ${byPieces}`);
  const all = { byRanges: newer.length, byPieces: newer.length };
  assert.deepEqual(await lackOf(artefact, { folder, chunks: undefined }), all);
});

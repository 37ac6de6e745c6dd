import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtefactSource } from '../artefact-source.ts';
import type { SwarmNode } from './node.ts';
import { FilePieces, MemoryPieces } from './piece-store.ts';
import { PoisonedStore } from './testing/poisoned-store.ts';
import { listenAt, makeSample, type Sample } from './testing/sample.ts';

const MIB = 1024 * 1024;

/** Nodes on addresses of their own, which stop with the test. */
async function nodes(t: TestContext, count: number): Promise<SwarmNode[]> {
  const all = await Promise.all(Array.from({ length: count }, (_, place) => listenAt(10 + place)));
  t.after(() => Promise.all(all.map((node) => node.stop())));
  return all;
}

function endpoints(all: readonly SwarmNode[], places: readonly number[]) {
  return places.map((place) => ({ host: `127.0.7.${10 + place}`, port: (all[place] as SwarmNode).port }));
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bootswarm-swarm-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

function assertSame(store: MemoryPieces, { bytes }: Sample): void {
  assert.equal(Buffer.compare(store.bytes, bytes), 0);
}

/** HTTP that has everything. */
function httpOf({ bytes }: Sample): ArtefactSource {
  return {
    async read(_, { start, end }) {
      return (async function* () {
        for (let at = start; at < end; at += 65536) yield bytes.subarray(at, Math.min(end, at + 65536));
      })();
    },
  };
}

describe('nodes on loopback', { timeout: 60_000 }, () => {
  for (const [name, pieceBytes] of [
    ['pieces of 1 MiB', MIB],
    ['pieces of 16 KiB', 16 * 1024],
    ['pieces of 4 MiB, of several blocks each', 4 * MIB],
  ] as const)
    test(`one gives another all of an artefact, byte for byte: ${name}`, async (t) => {
      const sample = await makeSample(20 * MIB + 12345, pieceBytes);
      const all = await nodes(t, 2);
      all[0]?.join(sample.artefact, sample.infohash, new MemoryPieces(sample.artefact, sample.bytes));
      const store = new MemoryPieces(sample.artefact);
      const swarm = all[1]?.join(sample.artefact, sample.infohash, store);
      swarm?.addPeers(endpoints(all, [0]));
      await swarm?.completed;
      assertSame(store, sample);
      assert.equal(swarm?.stats().wasted, 0);
    });

  test('five that start at once all complete, and get more from neighbours than from the edge', async (t) => {
    const sample = await makeSample(64 * MIB, MIB);
    const all = await nodes(t, 6);
    const rateLimits = { upload: 40 * MIB };
    const { artefact, infohash, bytes } = sample;
    all[0]?.join(artefact, infohash, new MemoryPieces(artefact, bytes), { isEdge: true, rateLimits });
    const stores = [1, 2, 3, 4, 5].map(() => new MemoryPieces(artefact));
    const swarms = stores.map((store, place) =>
      all[place + 1]?.join(artefact, infohash, store, { rateLimits }),
    );
    for (const swarm of swarms) swarm?.addPeers(endpoints(all, [0, 1, 2, 3, 4, 5]));
    await Promise.all(swarms.map((swarm) => swarm?.completed));
    for (const store of stores) assertSame(store, sample);
    const stats = swarms.map((swarm) => swarm?.stats());
    const [edge, total] = [
      stats.reduce((sum, each) => sum + (each?.fromEdge ?? 0), 0),
      stats.reduce((sum, each) => sum + (each?.downloaded ?? 0), 0),
    ];
    t.diagnostic(
      `from the edge: ${(edge / artefact.length).toFixed(2)} images of ${(total / artefact.length).toFixed(2)}`,
    );
    assert.ok(edge < total / 2, `${edge} of ${total} bytes from the edge`);
  });

  test('two that have a half each, and connect to one another at once, complete over one connection', async (t) => {
    const sample = await makeSample(16 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const all = await nodes(t, 2);
    const stores = [0, 1].map(() => new MemoryPieces(artefact));
    for (const index of artefact.pieces.keys())
      await stores[index % 2]?.write(index, bytes.subarray(index * MIB, (index + 1) * MIB));
    const rateLimits = { upload: 20 * MIB };
    const swarms = all.map((node, place) =>
      node.join(artefact, infohash, stores[place] as MemoryPieces, { rateLimits }),
    );
    for (const swarm of swarms) swarm.addPeers(endpoints(all, [0, 1]));
    await sleep(200);
    assert.deepEqual(
      swarms.map((swarm) => swarm.stats().peers.length),
      [1, 1],
    );
    await Promise.all(swarms.map((swarm) => swarm.completed));
    for (const store of stores) assertSame(store, sample);
    for (const swarm of swarms) assert.equal(swarm.stats().downloaded, 8 * MIB);
  });

  test('a seed that lies alone is banned after two tries, and stays so; HTTP brings what it could not', async (t) => {
    const sample = await makeSample(4 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const all = await nodes(t, 2);
    all[0]?.join(artefact, infohash, new PoisonedStore(artefact, bytes, () => true));
    const store = new MemoryPieces(artefact);
    const swarm = all[1]?.join(artefact, infohash, store, { webseed: httpOf(sample) });
    swarm?.addPeers(endpoints(all, [0]));
    await swarm?.completed;
    assertSame(store, sample);
    assert.deepEqual(swarm?.stats().banned, ['127.0.7.10']);
    assert.deepEqual(swarm?.stats().peers, []);
  });

  test('among honest seeds a liar is banned, and nobody else', async (t) => {
    const sample = await makeSample(48 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const all = await nodes(t, 4);
    const rateLimits = { upload: 30 * MIB };
    all[0]?.join(artefact, infohash, new PoisonedStore(artefact, bytes, () => true), { rateLimits });
    for (const honest of [1, 2])
      all[honest]?.join(artefact, infohash, new MemoryPieces(artefact, bytes), { rateLimits });
    const store = new MemoryPieces(artefact);
    const swarm = all[3]?.join(artefact, infohash, store);
    swarm?.addPeers(endpoints(all, [0, 1, 2]));
    await swarm?.completed;
    assertSame(store, sample);
    assert.deepEqual(swarm?.stats().banned, ['127.0.7.10']);
    const [wasted = 0, three] = [swarm?.stats().wasted, 3 * MIB + 8 * MIB];
    assert.ok(wasted <= three, `${wasted} bytes were for nothing`);
  });

  test('a peer that goes away in the middle does not hold up the others', async (t) => {
    const sample = await makeSample(48 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const all = await nodes(t, 3);
    const rateLimits = { upload: 20 * MIB };
    for (const seed of [0, 1])
      all[seed]?.join(artefact, infohash, new MemoryPieces(artefact, bytes), { rateLimits });
    const store = new MemoryPieces(artefact);
    const swarm = all[2]?.join(artefact, infohash, store);
    swarm?.addPeers(endpoints(all, [0, 1]));
    await sleep(300);
    assert.equal(swarm?.stats().peers.length, 2);
    await all[0]?.stop();
    await swarm?.completed;
    assertSame(store, sample);
  });

  test('after a restart what stands in the file is kept, and what is wrong there is fetched again', async (t) => {
    const sample = await makeSample(16 * MIB + 5, MIB);
    const { artefact, infohash, bytes } = sample;
    const path = join(await folder(t), 'root.squashfs');
    {
      await using file = await open(path, 'w');
      await file.write(bytes, 0, 7 * MIB, 0);
      await file.write(bytes, 10 * MIB, 2 * MIB, 10 * MIB);
      await file.write(Buffer.from('spoilt'), 0, 6, 3 * MIB);
    }
    await using store = await FilePieces.resume(artefact, path);
    assert.equal(store.have.size, 8);
    const all = await nodes(t, 2);
    all[0]?.join(artefact, infohash, new MemoryPieces(artefact, bytes));
    const swarm = all[1]?.join(artefact, infohash, store);
    swarm?.addPeers(endpoints(all, [0]));
    await swarm?.completed;
    assert.equal(swarm?.stats().downloaded, artefact.length - 8 * MIB);
    await using again = await FilePieces.resume(artefact, path);
    assert.ok(again.have.isWhole);
  });

  test('where no peer gives anything, HTTP brings all of it within ten seconds', async (t) => {
    const sample = await makeSample(9 * MIB + 1, MIB);
    const [node] = await nodes(t, 1);
    const store = new MemoryPieces(sample.artefact);
    const swarm = node?.join(sample.artefact, sample.infohash, store, { webseed: httpOf(sample) });
    swarm?.addPeers([{ host: '127.0.7.200', port: 9 }]);
    const startedAt = performance.now();
    await swarm?.completed;
    assert.ok(performance.now() - startedAt < 10_000);
    assertSame(store, sample);
    assert.equal(swarm?.stats().fromWebseed, sample.artefact.length);
  });

  test('a store that fails ends the swarm with what it threw', async (t) => {
    const sample = await makeSample(2 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const all = await nodes(t, 2);
    all[0]?.join(artefact, infohash, new MemoryPieces(artefact, bytes));
    const full = new MemoryPieces(artefact);
    full.write = () => Promise.reject(new Error('ENOSPC: no space left on device'));
    const swarm = all[1]?.join(artefact, infohash, full);
    swarm?.addPeers(endpoints(all, [0]));
    await assert.rejects(swarm?.completed ?? Promise.resolve(), /ENOSPC/);
    assert.ok(swarm?.isLeft);
  });

  test('peers that are dropped are gone, and come back only where they are added again', async (t) => {
    const sample = await makeSample(8 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const all = await nodes(t, 3);
    for (const seed of [all[0], all[1]])
      seed?.join(artefact, infohash, new MemoryPieces(artefact, bytes), { rateLimits: { upload: MIB } });
    const store = new MemoryPieces(artefact);
    const swarm = all[2]?.join(artefact, infohash, store);
    swarm?.addPeers(endpoints(all, [0, 1]));
    const addresses = () => swarm?.stats().peers.map(({ address }) => address);
    for (let tries = 0; tries < 100 && addresses()?.length !== 2; tries++) await sleep(10);
    swarm?.dropPeers((address) => address === '127.0.7.10');
    // Longer than it takes until a peer that was lost is tried again.
    await sleep(1500);
    assert.deepEqual(addresses(), ['127.0.7.11']);
    swarm?.addPeers(endpoints(all, [0]));
    for (let tries = 0; tries < 100 && addresses()?.length !== 2; tries++) await sleep(10);
    await swarm?.completed;
    assertSame(store, sample);
  });

  test('a swarm that is left, or whose signal is aborted, says so and closes its connections', async (t) => {
    const sample = await makeSample(2 * MIB, MIB);
    const [node] = await nodes(t, 1);
    const { artefact, infohash } = sample;
    const swarm = node?.join(artefact, infohash, new MemoryPieces(artefact));
    assert.throws(() => node?.join(artefact, infohash, new MemoryPieces(artefact)), /already joined/);
    swarm?.leave();
    await assert.rejects(swarm?.completed ?? Promise.resolve(), /left before all of it/);
    const abort = new AbortController();
    const second = node?.join(artefact, infohash, new MemoryPieces(artefact), { signal: abort.signal });
    abort.abort(new Error('the machine is powered off'));
    await assert.rejects(second?.completed ?? Promise.resolve(), /powered off/);
  });
});

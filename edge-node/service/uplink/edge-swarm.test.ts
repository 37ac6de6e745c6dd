import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EdgeSwarmAnswer, RateSchedule } from '@bootswarm/controller/contract';
import { type Artefact, artefactOf } from '@bootswarm/images/format';
import {
  ArtefactFolder,
  type ArtefactSource,
  lackOf,
  MemoryPieces,
  SwarmNode,
} from '@bootswarm/images/swarm';
import { FakeController } from '../testing/fake-controller.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { chunkedReleaseOf } from '../testing/releases.ts';
import { EdgeSwarm } from './edge-swarm.ts';

const { manifest: plain, bytesOf } = await chunkedReleaseOf('tiny');
const root: Artefact = { ...artefactOf(plain, 'root'), infohash: 'ab'.repeat(20) };
const { sha256 } = root;
const bytes = Buffer.from(bytesOf.get(sha256) ?? []);
const manifest = { ...plain, artefacts: plain.artefacts.map((each) => (each.role === 'root' ? root : each)) };
const LOOPBACK = '127.0.0.1';

/** The controller's HTTP, counted. */
class FakeSource implements ArtefactSource {
  readBytes = 0;

  async read(
    _: Artefact,
    { start, end }: { start: number; end: number },
  ): Promise<AsyncIterable<Uint8Array>> {
    this.readBytes += end - start;
    return ReadableStream.from(parts(bytes.subarray(start, end)));
  }
}

function* parts(of: Buffer): Generator<Buffer> {
  for (let at = 0; at < of.length; at += 10_000) yield of.subarray(at, at + 10_000);
}

interface Ground {
  readonly controller: FakeController;
  readonly edge: (name: string) => Promise<EdgeUnderTest>;
}

interface EdgeUnderTest {
  readonly swarm: EdgeSwarm;
  readonly folder: ArtefactFolder;
  readonly source: FakeSource;
  readonly ready: Set<string>;
  readonly fetch: (chunks?: string) => ReturnType<EdgeSwarm['fetch']>;
}

async function ground(t: TestContext): Promise<Ground> {
  const controller = await FakeController.start();
  const stop = new AbortController();
  const running: Promise<unknown>[] = [];
  const ends: (() => Promise<void>)[] = [];
  t.after(async () => {
    stop.abort();
    await Promise.all(running);
    for (const end of ends) await end();
    await controller[Symbol.asyncDispose]();
  });
  return {
    controller,
    edge: async (name) => {
      const path = await mkdtempDisposable(join(tmpdir(), 'bootswarm-edge-swarm-'));
      const folder = await ArtefactFolder.open(path.path);
      const ready = new Set<string>();
      const { log } = quietLog();
      const swarm = await EdgeSwarm.start({ port: 0, folder, isReady: (each) => ready.has(each), log });
      const where = { url: controller.url, addresses: [LOOPBACK], ownAddress: undefined };
      running.push(swarm.run({ client: controller.client(name), ...where }, stop.signal));
      swarm.follow([manifest]);
      ends.push(async () => {
        await swarm.stop();
        await path.remove();
      });
      const source = new FakeSource();
      const fetch: EdgeUnderTest['fetch'] = async (chunks) => {
        const fetched = await swarm.fetch(root, { folder, source, signal: stop.signal, chunks });
        ready.add(sha256);
        swarm.look();
        return fetched;
      };
      return { swarm, folder, source, ready, fetch };
    },
  };
}

/** Lets an edge ask these ports for the image. */
function tell(
  ports: readonly number[],
  more: Partial<EdgeSwarmAnswer['artefacts'][number]> = {},
): EdgeSwarmAnswer {
  const peers = ports.map((port) => ({ address: LOOPBACK, port }));
  return {
    edges: [LOOPBACK],
    near: [],
    artefacts: [{ sha256, outside: true, peers, fetchers: 2, ...more }],
    rates: [],
    rateSharers: 1,
  };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400 && !holds(); tries++) await sleep(10);
  assert.ok(holds(), what);
}

describe('an edge', () => {
  test('fetches from the controller’s swarm and not by HTTP, and tells what it does', async (t) => {
    const { controller, edge } = await ground(t);
    const seed = await SwarmNode.listen({ host: LOOPBACK, isAllowed: () => true });
    t.after(() => seed.stop());
    seed.join(root, root.infohash ?? '', new MemoryPieces(root, bytes), { isEdge: true });
    controller.answer = () => ({ ...tell([]), controllerPort: seed.port });
    const one = await edge('one');
    const { fetchedBytes } = await one.fetch();
    assert.deepEqual([fetchedBytes, one.source.readBytes], [bytes.length, 0]);
    assert.deepEqual(await readFile(one.folder.pathOf(sha256)), bytes);
    const fetching = controller.reports.get('one')?.find((report) => report.fetching.length > 0);
    assert.deepEqual(fetching, {
      ...{ address: LOOPBACK, port: one.swarm.port, has: [] },
      fetching: [{ sha256, bytes: 0 }],
    });
  });

  test('gives what it fetched to another edge, which is told of it alone', async (t) => {
    const { controller, edge } = await ground(t);
    controller.answer = () => tell([]);
    const [one, two] = [await edge('one'), await edge('two')];
    await one.fetch();
    assert.equal(one.source.readBytes, bytes.length);
    controller.answer = () => tell([one.swarm.port]);
    await two.fetch();
    assert.equal(two.source.readBytes, 0);
  });

  test('gives what it had when it started, until nothing names it', async (t) => {
    const { controller, edge } = await ground(t);
    controller.answer = () => tell([]);
    const [one, two] = [await edge('one'), await edge('two')];
    await writeFile(one.folder.pathOf(sha256), bytes);
    one.ready.add(sha256);
    one.swarm.look();
    controller.answer = () => tell([one.swarm.port]);
    await two.fetch();
    assert.equal(two.source.readBytes, 0);
    one.swarm.follow([plain]);
    const node = await SwarmNode.listen({ host: LOOPBACK, isAllowed: () => true });
    t.after(() => node.stop());
    await sleep(100);
    const swarm = node.join(root, root.infohash ?? '', new MemoryPieces(root));
    swarm.addPeers([{ host: LOOPBACK, port: one.swarm.port }]);
    await sleep(300);
    assert.equal(swarm.stats().pieces, 0);
  });

  test('lets nobody in whom the controller does not name', async (t) => {
    const { controller, edge } = await ground(t);
    controller.answer = () => ({ ...tell([]), edges: [] });
    const one = await edge('one');
    await one.fetch();
    const stranger = await SwarmNode.listen({ host: '127.0.0.77', isAllowed: () => true });
    t.after(() => stranger.stop());
    const swarm = stranger.join(root, root.infohash ?? '', new MemoryPieces(root));
    swarm.addPeers([{ host: LOOPBACK, port: one.swarm.port }]);
    await sleep(300);
    assert.deepEqual([swarm.stats().pieces, swarm.stats().peers.length], [0, 0]);
  });

  test('for whose site another fetches has it from that one, and leaves HTTP alone', async (t) => {
    const { controller, edge } = await ground(t);
    controller.answer = () => tell([]);
    const [one, two] = [await edge('one'), await edge('two')];
    controller.answer = (name) =>
      name === 'one' ? tell([]) : tell([one.swarm.port], { outside: false, by: 'one' });
    const second = two.fetch();
    // Longer than peers that are connected to nobody are waited for.
    await sleep(5000);
    assert.equal(two.source.readBytes, 0);
    await one.fetch();
    await second;
    assert.equal(two.source.readBytes, 0);
    assert.deepEqual(await readFile(two.folder.pathOf(sha256)), bytes);
  });

  test('of a controller that knows of no swarms fetches by HTTP', async (t) => {
    const { edge } = await ground(t);
    const one = await edge('one');
    const { fetchedBytes } = await one.fetch();
    assert.deepEqual([fetchedBytes, one.source.readBytes], [bytes.length, bytes.length]);
  });

  test('that holds most of it fetches the ranges that it lacks, where it is the only one that fetches', async (t) => {
    const { controller, edge } = await ground(t);
    const older = await chunkedReleaseOf('late');
    controller.answer = () => tell([], { fetchers: 1 });
    const one = await edge('one');
    for (const [hash, held] of older.bytesOf) await writeFile(one.folder.pathOf(hash), held);
    const { sha256: chunks } = artefactOf(plain, 'chunks');
    await writeFile(one.folder.pathOf(chunks), bytesOf.get(chunks) ?? '');
    const { byRanges, byPieces } = await lackOf(root, { folder: one.folder, chunks });
    assert.ok(byRanges < byPieces, `${byRanges} ${byPieces}`);
    const { fetchedBytes, reusedBytes } = await one.fetch(chunks);
    assert.ok(reusedBytes > bytes.length / 3, String(reusedBytes));
    assert.deepEqual([fetchedBytes, one.source.readBytes], [byRanges, byRanges]);
  });

  test('obeys the cap of its site, by HTTP as well', async (t) => {
    const { controller, edge } = await ground(t);
    const rates = [RateSchedule.parse({ bytesPerSecond: 2 * bytes.length })];
    controller.answer = () => ({ ...tell([]), artefacts: [], rates, rateSharers: 4 });
    const one = await edge('one');
    await until(() => (controller.reports.get('one')?.length ?? 0) > 0, 'it asks');
    await sleep(100);
    const startedAt = performance.now();
    await one.fetch();
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds > 1.5 && seconds < 30, String(seconds));
  });
});

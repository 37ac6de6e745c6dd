import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { artefactOf, type Manifest } from '@bootswarm/images/format';
import { ArtefactFolder, MemoryPieces, SwarmNode } from '@bootswarm/images/swarm';
import { pino } from 'pino';
import { sampleRelease } from '../testing/samples.ts';
import { Seeds } from './seeds.ts';

const log = pino({ level: 'silent' });
const { manifest: plain, contents } = await sampleRelease();
const root = { ...artefactOf(plain, 'root'), infohash: 'cd'.repeat(20) };
const bytes = contents.at(-1) ?? new Uint8Array();
const published: Manifest = {
  ...plain,
  artefacts: plain.artefacts.map((each) => (each.role === 'root' ? root : each)),
};

async function seeds(isAllowed: (address: string) => boolean, clock = (): number => 0) {
  const path = await mkdtempDisposable(join(tmpdir(), 'bootswarm-seeds-'));
  const folder = await ArtefactFolder.open(path.path);
  await folder.append(root.sha256, 0, ReadableStream.from([bytes]), bytes.length);
  await folder.finish(root.sha256);
  const parts = {
    port: 0,
    address: '127.0.0.1',
    isAllowed,
    folder,
    published: async () => [published],
    log,
    clock,
  };
  const started = await Seeds.start(parts);
  return {
    seeds: started,
    [Symbol.asyncDispose]: async () => {
      await started.stop();
      await path.remove();
    },
  };
}

/** What an edge gets of it within a second. */
async function fetched(port: number): Promise<Uint8Array | undefined> {
  const node = await SwarmNode.listen({ host: '127.0.0.1', isAllowed: () => true });
  try {
    const store = new MemoryPieces(root);
    const swarm = node.join(root, root.infohash, store, {});
    swarm.addPeers([{ host: '127.0.0.1', port }]);
    const isDone = await Promise.race([swarm.completed.then(() => true), sleep(1000, false)]);
    return isDone ? store.bytes : undefined;
  } finally {
    await node.stop();
  }
}

test('what was published is given from when an edge lacks it, until nobody has for long', async () => {
  let nowMs = 0;
  await using site = await seeds(
    () => true,
    () => nowMs,
  );
  assert.equal(await fetched(site.seeds.port), undefined);
  await Promise.all([site.seeds.give([root.sha256, 'ef'.repeat(32)]), site.seeds.give([root.sha256])]);
  assert.deepEqual(await fetched(site.seeds.port), Uint8Array.from(bytes));
  nowMs = 599_000;
  await site.seeds.give([]);
  assert.ok(await fetched(site.seeds.port));
  nowMs = 601_000;
  await site.seeds.give([]);
  assert.equal(await fetched(site.seeds.port), undefined);
});

test('who is no edge gets nothing', async () => {
  await using site = await seeds(() => false);
  await site.seeds.give([root.sha256]);
  assert.equal(await fetched(site.seeds.port), undefined);
});

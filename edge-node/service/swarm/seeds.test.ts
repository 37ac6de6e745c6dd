import assert from 'node:assert/strict';
import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { artefactOf } from '@bootswarm/images/format';
import { MemoryPieces, SwarmNode } from '@bootswarm/images/swarm';
import { quietLog } from '../testing/quiet-log.ts';
import { releaseOf } from '../testing/releases.ts';
import { Seeds } from './seeds.ts';

const { manifest: plain, bytesOf } = await releaseOf('tiny');
const root = { ...artefactOf(plain, 'root'), infohash: 'ab'.repeat(20) };
const manifest = {
  ...plain,
  artefacts: plain.artefacts.map((each) => (each.role === 'root' ? root : each)),
};
const bytes = bytesOf.get(root.sha256) ?? new Uint8Array();

async function edge(isAllowed = (_: string) => true, rate?: number) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-seeds-'));
  const path = join(folder.path, root.sha256);
  await writeFile(path, bytes);
  const ready = new Set<string>();
  const { log, lines } = quietLog();
  const isReady = (sha256: string): boolean => ready.has(sha256);
  const seeds = await Seeds.start({ port: 0, rate, isAllowed, pathOf: () => path, isReady, log });
  return {
    ...{ seeds, ready, lines, path },
    /** Resolves as soon as it gives the root, or no more. */
    until: async (gives: boolean): Promise<void> => {
      await seeds.look();
      for (let tries = 0; tries < 200 && (seeds.portOf(root.sha256) !== undefined) !== gives; tries++)
        await sleep(10);
      assert.equal(seeds.portOf(root.sha256) !== undefined, gives);
    },
    [Symbol.asyncDispose]: async () => {
      await seeds.stop();
      await folder.remove();
    },
  };
}

/** What a machine gets of it within a second. */
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

test('what is whole here is given to machines, from when it is whole until nothing names it', async () => {
  await using site = await edge();
  const { seeds, ready, until } = site;
  seeds.follow([manifest]);
  await until(false);
  ready.add(root.sha256);
  await until(true);
  const port = seeds.portOf(root.sha256) ?? 0;
  assert.deepEqual(await fetched(port), Uint8Array.from(bytes));
  seeds.follow([plain]);
  await until(false);
  assert.equal(await fetched(port), undefined);
});

test('what it gives has a cap', async () => {
  await using site = await edge(() => true, 1);
  site.ready.add(root.sha256);
  site.seeds.follow([manifest]);
  await site.until(true);
  assert.equal(await fetched(site.seeds.portOf(root.sha256) ?? 0), undefined);
});

test('nobody else gets any of it', async () => {
  await using site = await edge(() => false);
  site.ready.add(root.sha256);
  site.seeds.follow([manifest]);
  await site.until(true);
  assert.equal(await fetched(site.seeds.portOf(root.sha256) ?? 0), undefined);
});

test('what cannot be read is told, and tried again', async () => {
  await using site = await edge();
  const { seeds, ready, until, lines, path } = site;
  await rm(path);
  ready.add(root.sha256);
  seeds.follow([manifest]);
  const isTold = (): boolean => lines.includes('warn an artefact cannot be given to the swarm');
  for (let tries = 0; tries < 200 && !isTold(); tries++) await sleep(10);
  assert.ok(isTold());
  assert.equal(seeds.portOf(root.sha256), undefined);
  await writeFile(path, bytes);
  await until(true);
});

test('a port that somebody else has is named', async () => {
  await using site = await edge();
  site.ready.add(root.sha256);
  site.seeds.follow([manifest]);
  await site.until(true);
  const port = site.seeds.portOf(root.sha256) ?? 0;
  const parts = { isAllowed: () => true, pathOf: () => '', isReady: () => false, log: quietLog().log };
  await assert.rejects(Seeds.start({ ...parts, port }), { code: 'port_in_use', message: /TCP port/ });
});

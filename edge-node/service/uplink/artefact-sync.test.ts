import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Artefact } from '@bootswarm/images/format';
import { ArtefactFolder, type ArtefactSource } from '@bootswarm/images/swarm';
import { quietLog } from '../testing/quiet-log.ts';
import { chunkedReleaseOf, type ReleaseWithBytes, releaseOf } from '../testing/releases.ts';
import { ArtefactRoom, RESERVE_BYTES } from './artefact-room.ts';
import { ArtefactSync } from './artefact-sync.ts';

/** Sends what it holds, as long as it is told to. Remembers what it was asked for. */
class FakeSource implements ArtefactSource {
  readonly asked: string[] = [];
  /** By SHA-256: what is wrong with an artefact. */
  readonly faults = new Map<string, 'refused' | 'spoilt' | 'hangs'>();
  readonly #releases: readonly ReleaseWithBytes[];

  constructor(...releases: readonly ReleaseWithBytes[]) {
    this.#releases = releases;
  }

  async read(
    { sha256 }: Artefact,
    { start, end }: { readonly start: number; readonly end: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    this.asked.push(sha256);
    const fault = this.faults.get(sha256);
    if (fault === 'refused') throw new Error('connection refused');
    if (fault === 'hangs') await sleep(60_000, undefined, { signal });
    const bytes = this.#releases.map(({ bytesOf }) => bytesOf.get(sha256)).find((each) => each !== undefined);
    const sent = Uint8Array.from(bytes ?? []);
    const spoiltAt = Math.min(20_000, sent.length - 1);
    if (fault === 'spoilt') sent[spoiltAt] = (sent[spoiltAt] ?? 0) ^ 1;
    return ReadableStream.from([sent.subarray(start, end)]);
  }
}

interface Bench {
  readonly sync: ArtefactSync;
  readonly folder: ArtefactFolder;
  /** What the sync takes the disk for. */
  readonly disk: { freeBytes: number; allBytes: number };
  /** Resolves when `holds` does, looking at every change that the sync tells. */
  readonly until: (holds: () => boolean) => Promise<void>;
  readonly run: (source: ArtefactSource) => void;
}

async function withSync(test: (bench: Bench) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'bootswarm-sync-'));
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  let onChange = (): void => {};
  try {
    const folder = await ArtefactFolder.open(path);
    const { log } = quietLog();
    const disk = { freeBytes: 10 * RESERVE_BYTES, allBytes: 20 * RESERVE_BYTES };
    const room = new ArtefactRoom(folder, log, {
      disk: async () => {
        const held = (await folder.survey('whole')).reduce((sum, { bytes }) => sum + bytes, 0);
        return { ...disk, freeBytes: disk.freeBytes - held };
      },
    });
    const sync = await ArtefactSync.open({
      folder,
      log,
      room,
      onChange: () => onChange(),
      retryMs: 30,
      auditMs: 2,
    });
    await test({
      sync,
      folder,
      disk,
      until: (holds) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(JSON.stringify(sync.status))), 5000);
          onChange = () => {
            if (!holds()) return;
            clearTimeout(timer);
            resolve();
          };
          onChange();
        }),
      run: (source) => running.push(sync.run(source, stop.signal)),
    });
  } finally {
    onChange = () => {};
    stop.abort();
    await Promise.all(running);
    await rm(path, { recursive: true });
  }
}

const one = await releaseOf('one');
const two = await releaseOf('two');
const hashes = ({ manifest }: ReleaseWithBytes) => manifest.artefacts.map(({ sha256 }) => sha256);
const [kernel = '', initramfs = '', root = ''] = hashes(one);
const reasonOf = (sync: ArtefactSync, wanted: string) =>
  sync.status.waiting.find(({ sha256 }) => sha256 === wanted)?.reason;

describe('the artefacts of an edge', () => {
  test('are fetched, one after the other, and ready', () =>
    withSync(async ({ sync, until, run }) => {
      const source = new FakeSource(one);
      sync.want([one.manifest]);
      assert.equal(reasonOf(sync, root), 'not fetched yet');
      run(source);
      await until(() => sync.status.waiting.length === 0);
      assert.deepEqual(source.asked, hashes(one));
      assert.deepEqual(sync.status.ready, hashes(one));
      assert.equal(sync.isReady(root), true);
    }));

  test('are ready at once when they were here before, and are not fetched again', () =>
    withSync(async ({ sync, folder, until, run }) => {
      run(new FakeSource(one));
      sync.want([one.manifest]);
      await until(() => sync.isReady(root));
      const again = await ArtefactSync.open({ folder, log: quietLog().log, onChange: () => {} });
      again.want([one.manifest]);
      assert.deepEqual(again.status.ready.toSorted(), hashes(one).toSorted());
      assert.deepEqual(again.status.waiting, []);
    }));

  test('that fail let the others go first, tell why, and are tried again', () =>
    withSync(async ({ sync, until, run }) => {
      const source = new FakeSource(one);
      source.faults.set(kernel, 'refused');
      sync.want([one.manifest]);
      run(source);
      await until(() => sync.isReady(root) && sync.isReady(initramfs));
      assert.equal(reasonOf(sync, kernel), 'connection refused');
      source.faults.clear();
      await until(() => sync.isReady(kernel));
      assert.deepEqual(sync.status.waiting, []);
    }));

  test('with a wrong piece are never ready', () =>
    withSync(async ({ sync, folder, until, run }) => {
      const source = new FakeSource(one);
      source.faults.set(kernel, 'spoilt');
      sync.want([one.manifest]);
      run(source);
      await until(() => source.asked.filter((sha256) => sha256 === kernel).length > 2);
      assert.equal(reasonOf(sync, kernel), 'piece 1 of kernel.bin has the wrong SHA-256');
      assert.equal(sync.isReady(kernel), false);
      assert.equal(sync.isCorrupt(kernel), true);
      assert.deepEqual((await folder.list()).includes(kernel), false);
      source.faults.set(kernel, 'refused');
      await until(() => reasonOf(sync, kernel) === 'connection refused');
      assert.equal(sync.isCorrupt(kernel), false, 'what failed otherwise is not called corrupt');
    }));

  test('that are wanted later wake it', () =>
    withSync(async ({ sync, until, run }) => {
      run(new FakeSource(one, two));
      await sleep(20);
      sync.want([one.manifest]);
      await until(() => sync.isReady(root));
      await sleep(20);
      sync.want([one.manifest, two.manifest]);
      await until(() => hashes(two).every((sha256) => sync.isReady(sha256)));
    }));

  test('that are wanted while others are fetched are not slept over', () =>
    withSync(async ({ sync, until, run }) => {
      const source = new FakeSource(one, two);
      sync.want([one.manifest]);
      run(source);
      await until(() => sync.isReady(kernel));
      sync.want([one.manifest, two.manifest]);
      await until(() => hashes(two).every((sha256) => sync.isReady(sha256)));
    }));

  test('that are wanted no longer are not waited for, and not fetched', () =>
    withSync(async ({ sync, until, run }) => {
      const source = new FakeSource(one, two);
      for (const sha256 of hashes(one)) source.faults.set(sha256, 'refused');
      sync.want([one.manifest]);
      run(source);
      await until(() => reasonOf(sync, root) === 'connection refused');
      sync.want([two.manifest]);
      await until(() => hashes(two).every((sha256) => sync.isReady(sha256)));
      assert.deepEqual(sync.status.waiting, []);
      const asked = source.asked.length;
      await sleep(100);
      assert.equal(source.asked.length, asked);
    }));

  test('share their chunks: of the next release only what is new is fetched, and told', () =>
    withSync(async ({ sync, folder, until, run }) => {
      const [older, newer] = [await chunkedReleaseOf('older'), await chunkedReleaseOf('newer')];
      const source = new FakeSource(older, newer);
      run(source);
      sync.want([older.manifest]);
      await until(() => sync.status.waiting.length === 0);
      const before = sync.status.transfer?.fetchedBytes ?? 0;
      sync.want([newer.manifest]);
      await until(() => sync.status.waiting.length === 0);
      const [newRoot = '', newIndex = ''] = hashes(newer).slice(-2);
      assert.ok(source.asked.indexOf(newIndex) < source.asked.indexOf(newRoot), 'its index comes first');
      const { fetchedBytes = 0, reusedBytes = 0 } = sync.status.transfer ?? {};
      assert.ok(reusedBytes > 150_000, `${reusedBytes} bytes reused`);
      assert.ok(fetchedBytes - before < 140_000, `${fetchedBytes - before} bytes fetched`);
      assert.equal((await folder.list()).length, 8);
    }));

  test('whose chunk index is spoilt at the source are fetched whole', () =>
    withSync(async ({ sync, until, run }) => {
      const [older, newer] = [await chunkedReleaseOf('older'), await chunkedReleaseOf('newer')];
      const source = new FakeSource(older, newer);
      const index = newer.manifest.artefacts.find(({ role }) => role === 'chunks')?.sha256 ?? '';
      source.faults.set(index, 'spoilt');
      run(source);
      sync.want([older.manifest]);
      await until(() => sync.status.waiting.length === 0);
      sync.want([newer.manifest]);
      const isRoot = ({ role }: Artefact): boolean => role === 'root';
      await until(() => sync.isReady(newer.manifest.artefacts.find(isRoot)?.sha256 ?? ''));
      assert.equal(sync.isCorrupt(index), true);
      assert.equal(sync.status.transfer?.reusedBytes, 0);
    }));

  test('that find no room wait and say so, let smaller ones pass, and come once there is room', () =>
    withSync(async ({ sync, disk, until, run }) => {
      disk.freeBytes = RESERVE_BYTES + 60_000;
      run(new FakeSource(one, two));
      sync.want([one.manifest]);
      await until(
        () => sync.isReady(kernel) && reasonOf(sync, root)?.startsWith('no room for root.bin') === true,
      );
      assert.equal(sync.isReady(root), false);
      disk.freeBytes = 10 * RESERVE_BYTES;
      await until(() => sync.status.waiting.length === 0);
    }));

  test('that nothing wants are ready no more once they are removed, and are fetched when they are wanted again', () =>
    withSync(async ({ sync, disk, folder, until, run }) => {
      run(new FakeSource(one, two));
      sync.want([one.manifest]);
      await until(() => sync.status.waiting.length === 0);
      disk.allBytes = 0;
      sync.want([two.manifest]);
      await until(() => hashes(two).every((sha256) => sync.isReady(sha256)) && !sync.isReady(root));
      assert.deepEqual((await folder.list()).toSorted(), hashes(two).toSorted());
      sync.want([one.manifest, two.manifest]);
      await until(() => [...hashes(one), ...hashes(two)].every((sha256) => sync.isReady(sha256)));
    }));

  test('that vanish, shrink or rot are attested no more at once, and are fetched again', async (t) => {
    const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
      'is gone': (path) => rm(path),
      'has 5 bytes': (path) => truncate(path, 5),
      'is damaged': async (path) => {
        await using file = await open(path, 'r+');
        await file.write(Buffer.from('?'), 0, 1, 30_000);
      },
    };
    for (const [reason, damage] of Object.entries(damages))
      await t.test(reason, () =>
        withSync(async ({ sync, folder, until, run }) => {
          const source = new FakeSource(one);
          // The same artefacts twice: each is looked at all the same.
          sync.want([one.manifest, one.manifest]);
          run(source);
          await until(() => sync.status.waiting.length === 0);
          const before = source.asked.length;
          source.faults.set(root, 'refused');
          let told: string | undefined;
          const lost = until(() => {
            told ??= sync.isReady(root) ? undefined : reasonOf(sync, root);
            return told !== undefined && !sync.status.ready.includes(root);
          });
          await damage(folder.pathOf(root));
          await lost;
          assert.match(told ?? '', new RegExp(reason));
          assert.ok(sync.isReady(kernel));
          source.faults.clear();
          await until(() => sync.isReady(root));
          assert.deepEqual(await readFile(folder.pathOf(root)), Buffer.from(one.bytesOf.get(root) ?? ''));
          assert.ok(source.asked.slice(before).every((sha256) => sha256 === root));
        }),
      );
  });

  test('do not keep it from ending amid a fetch', () =>
    withSync(async ({ sync, until, run }) => {
      const source = new FakeSource(one);
      source.faults.set(initramfs, 'hangs');
      sync.want([one.manifest]);
      run(source);
      await until(() => sync.isReady(kernel));
    }));
});

import assert from 'node:assert/strict';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoints } from '@bootswarm/controller/contract';
import { type ReleaseId, releaseId, sha256Of } from '@bootswarm/images/format';
import type { Services } from '../services.ts';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import {
  chunked,
  type SampleRelease,
  sampleBytes,
  sampleRelease,
  sampleSegment,
} from '../testing/samples.ts';

const DAY_MS = 24 * 3600 * 1000;
const now = new Date();
const later = new Date(now.getTime() + 2 * DAY_MS);

let store: InterposedStore;
let controller: ControllerUnderTest;
let services: Services;

beforeEach(async () => {
  store = new InterposedStore();
  controller = await ControllerUnderTest.start(store);
  services = controller.services;
});

afterEach(() => controller[Symbol.asyncDispose]());

async function upload(bytes: Uint8Array): Promise<string> {
  const sha256 = sha256Of(bytes);
  await services.uploads.receive(sha256, { offset: 0, length: bytes.length, bytes: chunked(bytes) });
  return sha256;
}

/** A release whose kernel and initramfs are those of every other, and whose root is its own. */
async function ownRoot(version: string, seed: number): Promise<SampleRelease> {
  const { manifest, contents } = await sampleRelease(version);
  const root = sampleBytes(9000, seed);
  const artefacts = manifest.artefacts.map((artefact) =>
    artefact.role === 'root'
      ? { ...artefact, length: root.length, sha256: sha256Of(root), pieces: [sha256Of(root)] }
      : artefact,
  );
  return { manifest: { ...manifest, artefacts }, contents: [...contents.slice(0, 2), root] };
}

async function publish({ manifest, contents }: SampleRelease, at = now): Promise<ReleaseId> {
  for (const bytes of contents) await upload(bytes);
  await services.releases.publish(manifest, at);
  return releaseId(manifest);
}

function removeReleases(...ids: readonly ReleaseId[]): Promise<void> {
  return transact(store, 'releases', async (reads) => ({
    ...(await services.releases.removal(reads, ids, services.uses, later)),
    result: undefined,
  }));
}

/** What an edge or a machine would find: every release has all of its bytes. */
async function checkBytes(of: StateStore = store): Promise<void> {
  const releases = await services.releases.list();
  const files = new Set(await services.artefacts.list());
  for (const { manifest } of releases)
    for (const { sha256, name } of manifest.artefacts) {
      assert.ok(await of.get(`artefacts/${sha256}`), `${releaseId(manifest)} lost its ${name}`);
      assert.ok(files.has(sha256), `${releaseId(manifest)} lost the file of its ${name}`);
    }
}

describe('garbage', () => {
  test('is the bytes that no release names, once the time that uploads have is over', async () => {
    const sample = await sampleRelease();
    await publish(sample);
    const lost = await upload(sampleBytes(1234, 9));
    assert.deepEqual((await services.garbage.survey(now)).artefacts, []);
    const found = await services.garbage.survey(later);
    assert.deepEqual(found, {
      releases: [],
      artefacts: [{ sha256: lost, bytes: 1234, due: false }],
      uploads: [],
    });
    assert.deepEqual(await services.garbage.collect(later), found);
    assert.deepEqual((await services.uploads.show(lost)).complete, false);
    assert.equal((await services.artefacts.list()).includes(lost), false);
    await checkBytes();
    assert.deepEqual((await services.garbage.collect(later)).artefacts, []);
  });

  test('is uploads that broke off a day ago, and not one that goes on', async () => {
    const [old, fresh] = [sampleBytes(5000, 1), sampleBytes(5000, 2)];
    for (const bytes of [old, fresh])
      await services.uploads.receive(sha256Of(bytes), {
        offset: 0,
        length: 5000,
        bytes: chunked(bytes.subarray(0, 777)),
      });
    const dayAgo = new Date(now.getTime() - DAY_MS - 1000);
    await utimes(services.artefacts.partialPathOf(sha256Of(old)), dayAgo, dayAgo);
    const { uploads } = await services.garbage.collect(now);
    assert.deepEqual(uploads, [{ sha256: sha256Of(old), bytes: 777 }]);
    assert.equal((await services.uploads.show(sha256Of(fresh))).received, 777);
    assert.equal((await services.uploads.show(sha256Of(old))).received, 0);
  });

  test('is what a crash left between an artefact that was forgotten and its file', async () => {
    const lost = await upload(sampleBytes(1234, 9));
    await store.commit({ remove: [`artefacts/${lost}`] });
    await services.garbage.collect(later);
    assert.deepEqual(await services.artefacts.list(), []);
  });

  test('is a release beyond retention, with the bytes that it shares with no other', async () => {
    const ids = [];
    for (const n of [1, 2, 3]) ids.push(await publish(await ownRoot(`${n}`, n), new Date(now.getTime() + n)));
    await services.retention.replace({ everywhere: { keep: 2 }, series: {} });
    const found = await services.garbage.survey(later);
    assert.deepEqual(
      found.releases.map(({ release }) => release),
      [ids[0]],
    );
    assert.deepEqual(found.artefacts, [{ sha256: sha256Of(sampleBytes(9000, 1)), bytes: 9000, due: true }]);
    // Only an operator's key removes the release, and its bytes stay as long as it does.
    assert.deepEqual((await services.garbage.collect(later)).artefacts, []);
    await checkBytes();
    await removeReleases(...ids.slice(0, 1));
    assert.deepEqual((await services.garbage.collect(later)).artefacts.length, 1);
    await checkBytes();
    assert.deepEqual((await services.releases.list()).length, 2);
  });

  test('that is being sent anew is left alone', async () => {
    const bytes = sampleBytes(4000, 5);
    const sha256 = await upload(bytes);
    await store.commit({ remove: [`artefacts/${sha256}`] });
    const first = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    const slowly = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1000);
      first.resolve();
      await rest.promise;
      yield bytes.subarray(1000);
    };
    const receiving = services.uploads.receive(sha256, { offset: 0, length: 4000, bytes: slowly() });
    await first.promise;
    assert.deepEqual((await services.garbage.collect(later)).artefacts, []);
    rest.resolve();
    assert.deepEqual(await receiving, { received: 4000, complete: true });
    assert.ok((await services.artefacts.list()).includes(sha256));
  });

  test('collected while a release is published that needs it is no garbage', async () => {
    const sample = await sampleRelease();
    for (const bytes of sample.contents) await upload(bytes);
    // Between what the collector reads and its commit.
    store.beforeNextCommit(() => services.releases.publish(sample.manifest, now));
    assert.deepEqual((await services.garbage.collect(later)).artefacts, []);
    assert.equal((await services.releases.list()).length, 1);
    await checkBytes();
  });

  test('collected while a release is published first makes that name what is missing', async () => {
    const sample = await sampleRelease();
    for (const bytes of sample.contents) await upload(bytes);
    store.beforeNextCommit(() => services.garbage.collect(later));
    await assert.rejects(services.releases.publish(sample.manifest, now), {
      code: 'release_artefact_missing',
    });
    assert.deepEqual(await services.releases.list(), []);
    await publish(sample);
    await checkBytes();
  });

  test('is collected at any moment of publishing without a release that lacks bytes', async () => {
    const samples = await Promise.all([1, 2, 3, 4].map((n) => ownRoot(`${n}`, n)));
    // As a command does: send what is missing and publish, and again where something went meanwhile.
    const publisher = async (sample: SampleRelease): Promise<void> => {
      for (let tries = 0; tries < 500; tries++) {
        try {
          await publish(sample);
          return;
        } catch (error) {
          const { code } = error as { readonly code?: string };
          if (code !== 'release_artefact_missing' && code !== 'upload_busy') throw error;
          await sleep(1 + (tries % 5));
        }
      }
      assert.fail('never published');
    };
    let publishing = true;
    const collector = (async () => {
      for (let n = 0; publishing; n++) {
        await services.garbage.collect(later);
        await checkBytes();
        // As long as it takes to publish, at times: here nothing is given a day.
        await sleep(n % 20);
        const id = (await services.releases.list())[0];
        if (n % 3 === 0 && id) await removeReleases(releaseId(id.manifest));
      }
    })();
    for (let round = 0; round < 5; round++) await Promise.all(samples.map(publisher));
    publishing = false;
    await collector;
    await Promise.all(samples.map(publisher));
    await services.garbage.collect(later);
    assert.equal((await services.releases.list()).length, 4);
    await checkBytes();
  });
});

describe('a release', () => {
  const ID = 'minimal/1.0/amd64';
  const mac = '52:54:00:00:00:01';
  const namings: Readonly<Record<string, () => Promise<unknown>>> = {
    'that is pinned': () => services.pins.pin(ID, now),
    'that a machine boots': () => services.machines.setIntent(mac, { kind: 'live', release: ID }),
    'that a segment boots by default': () =>
      services.segments.add(sampleSegment(1, 'edge1', { defaultIntent: { kind: 'live', release: ID } })),
    'that a menu offers': () =>
      services.segments.add(
        sampleSegment(1, 'edge1', {
          menu: {
            title: 'Rack',
            timeoutSeconds: 0,
            entries: [{ kind: 'rescue', label: 'Rescue', release: ID, locked: false }],
          },
        }),
      ),
  };

  beforeEach(async () => {
    await services.edges.add('edge1', now);
    await publish(await sampleRelease());
    await publish(await sampleRelease('2.0'), new Date(now.getTime() + 1));
    await services.retention.replace({ series: { minimal: { keep: 1 } } });
  });

  test('that nothing names is removed, and never comes back with other contents', async () => {
    await removeReleases(ID);
    const { manifest } = await sampleRelease();
    await assert.rejects(services.releases.publish({ ...manifest, kernelArguments: ['other'] }, later), {
      code: 'release_removed',
      field: 'version',
    });
    await services.releases.publish(manifest, later);
    assert.equal((await services.releases.list()).length, 2);
  });

  for (const [what, name] of Object.entries(namings)) {
    test(`${what} is no garbage, and is not removed`, async () => {
      assert.equal((await services.garbage.survey(later)).releases.length, 1);
      await name();
      assert.deepEqual((await services.garbage.survey(later)).releases, []);
      await assert.rejects(removeReleases(ID), { code: 'release_in_use' });
      const params = { name: 'minimal', version: '1.0', architecture: 'amd64' } as const;
      assert.equal((await controller.operator.call(endpoints.releaseUses, { params })).length, 1);
    });

    test(`${what.replace('that', 'that at the same time')} is not removed`, async () => {
      store.beforeNextCommit(name);
      await assert.rejects(removeReleases(ID), { code: 'release_in_use' });
      assert.ok(await services.releases.find(ID));
    });

    test(`that is removed at the same time is no more one ${what}`, async () => {
      store.beforeNextCommit(() => removeReleases(ID));
      await assert.rejects(name(), { code: /machine_release_unknown|not_found/ });
      assert.equal((await services.uses.all(store)).has(ID), false);
    });
  }

  test('whose pin was taken away is garbage again', async () => {
    await services.pins.pin(ID, now);
    await services.pins.unpin(ID);
    assert.equal((await services.garbage.survey(later)).releases.length, 1);
    await assert.rejects(services.pins.pin('minimal/9/amd64', now), { code: 'not_found' });
  });

  test('that is there names every use, but not hundreds of them', async () => {
    for (let n = 0; n < 20; n++)
      await services.machines.setIntent(`52:54:00:00:01:${String(n).padStart(2, '0')}`, {
        kind: 'live',
        release: ID,
      });
    await assert.rejects(removeReleases(ID), /machine m-\w+ boots it; .*; and 15 more/);
  });
});

test('files that are none of ours lie in the folder without harm', async () => {
  await writeFile(join(controller.folder, 'partial', 'README'), 'x');
  await services.garbage.collect(later);
  assert.ok((await readdir(join(controller.folder, 'partial'))).includes('README'));
});

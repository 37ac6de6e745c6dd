import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Profile } from '@bootswarm/controller/contract';
import { type ChannelPointer, makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import {
  channelTarget,
  keysOf,
  makeRoot,
  outlineOf,
  releasePath,
  releaseTarget,
  withTargets,
} from '@bootswarm/images/trust';
import { Channels } from '../catalogue/channels.ts';
import { Releases } from '../catalogue/releases.ts';
import { artefactKey } from '../catalogue/uploads.ts';
import { transact } from '../store/transact.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleRelease } from '../testing/samples.ts';
import { Trust } from './trust.ts';

const now = new Date();
const HOUR_MS = 3600 * 1000;
const later = (hours: number): Date => new Date(now.getTime() + hours * HOUR_MS);
const nothingPublished = async () => [];
const [one, two] = [await sampleRelease('1'), await sampleRelease('2')];

let store: InterposedStore;
let trust: Trust;
let rootKey: SigningKey;
let targetsKey: SigningKey;

beforeEach(() => {
  store = new InterposedStore();
  trust = new Trust(store);
  rootKey = makeSigningKey();
  targetsKey = makeSigningKey();
});

async function init(targets = withTargets(undefined, {}, targetsKey)): Promise<string> {
  const { onlineKeys } = await trust.show();
  const keys = {
    root: [rootKey.publicKey],
    targets: [targetsKey.publicKey],
    snapshot: [onlineKeys.snapshot],
    timestamp: [onlineKeys.timestamp],
  };
  const root = makeRoot(undefined, keys, [rootKey]);
  await trust.replaceRoot({ root, targets }, nothingPublished, now);
  return root;
}

async function current(): Promise<string> {
  return (await trust.show()).targets ?? '';
}

/** Makes the artefacts of a release arrive. */
async function arrive(sample = one): Promise<void> {
  for (const { sha256, length, pieceBytes, pieces } of sample.manifest.artefacts)
    await store.commit({ put: { [artefactKey(sha256)]: { sha256, length, pieceBytes, pieces } } });
}

/** Publishes with the signature of a key, as the API does. */
async function publish(sample = one, targets?: string, key = targetsKey): Promise<unknown> {
  await arrive(sample);
  return send(
    sample,
    targets ?? withTargets(await current(), { add: [releaseTarget(sample.manifest)] }, key),
  );
}

function send({ manifest }: typeof one, targets: string): Promise<unknown> {
  return new Releases(store).publish(manifest, now, (reads) =>
    trust.publication(reads, { manifest, targets }, now),
  );
}

const versions = async (): Promise<readonly (number | undefined)[]> => {
  const { root, targets, snapshot, timestamp } = await trust.show();
  return [root, targets, snapshot, timestamp].map((text) =>
    text === null ? undefined : outlineOf(text).version,
  );
};

describe('the root of trust', () => {
  test('is taken once with the first targets, and snapshot and timestamp are signed with it', async () => {
    assert.deepEqual(await versions(), [undefined, undefined, undefined, undefined]);
    const root = await init();
    assert.deepEqual(await versions(), [1, 1, 1, 1]);
    assert.equal(await trust.firstRoot(), root);
    for (const file of ['1.root.json', '1.targets.json', '1.snapshot.json', 'timestamp.json'])
      assert.ok((await trust.file(file)).length > 0, file);
    for (const file of ['2.root.json', '1.timestamp.json', '9.targets.json'])
      await assert.rejects(trust.file(file), { code: 'trust_file_unknown' }, file);
  });

  test('of somebody who has not the keys of the one before is refused', async () => {
    const root = await init();
    const thief = makeSigningKey();
    const forged = makeRoot(root, { ...keysOf(root), targets: [thief.publicKey] }, [thief]);
    await assert.rejects(trust.replaceRoot({ root: forged }, nothingPublished, now), {
      code: 'metadata_unsigned',
    });
    const own = makeRoot(undefined, { ...keysOf(root), root: [thief.publicKey] }, [thief]);
    const targets = withTargets(undefined, {}, thief);
    await assert.rejects(trust.replaceRoot({ root: own, targets }, nothingPublished, now), {
      code: 'metadata_unsigned',
    });
    assert.deepEqual(await versions(), [1, 1, 1, 1]);
  });

  test('that does not name the keys of the controller, or leaves the targets unsigned, is refused', async () => {
    const root = await init();
    const stranger = makeSigningKey().publicKey;
    const cases = [
      [{ ...keysOf(root), snapshot: [stranger] }, 'trust_online_keys'],
      [{ ...keysOf(root), targets: [stranger] }, 'metadata_unsigned'],
    ] as const;
    for (const [keys, code] of cases)
      await assert.rejects(
        trust.replaceRoot({ root: makeRoot(root, keys, [rootKey]) }, nothingPublished, now),
        { code },
      );
  });

  test('signs at first for what is published, and for nothing else', async () => {
    const forged = withTargets(undefined, { add: [releaseTarget(one.manifest)] }, targetsKey);
    await assert.rejects(init(forged), { code: 'trust_change_unexpected', field: 'targets' });
  });

  test('brings other keys of the controller only once it names them', async () => {
    const root = await init();
    await trust.makeOnlineKeys();
    await publish();
    const next = await trust.makeOnlineKeys();
    const keys = { ...keysOf(root), snapshot: [next.snapshot], timestamp: [next.timestamp] };
    await trust.replaceRoot({ root: makeRoot(root, keys, [rootKey]) }, nothingPublished, now);
    assert.deepEqual((await trust.show()).onlineKeys, next);
    await publish(two);
  });
});

describe('publishing', () => {
  test('before there is a root is refused, with what to do', async () => {
    const targets = withTargets(undefined, { add: [releaseTarget(one.manifest)] }, targetsKey);
    await assert.rejects(publish(one, targets), { code: 'trust_missing' });
    assert.deepEqual(await new Releases(store).list(), []);
  });

  test('takes the release and its signature in one step', async () => {
    await init();
    await publish();
    assert.deepEqual(await versions(), [1, 2, 2, 2]);
    assert.equal((await new Releases(store).list()).length, 1);
  });

  test('again needs no other signature, and takes none', async () => {
    await init();
    await publish();
    await publish(one, '{}');
    assert.deepEqual(await versions(), [1, 2, 2, 2]);
  });

  test('is refused with signatures that say anything else', async () => {
    await init();
    await publish(two);
    const held = await current();
    const add = [releaseTarget(one.manifest)];
    const other = { ...releaseTarget(one.manifest), sha256: 'a'.repeat(64) };
    const cases: Readonly<Record<string, readonly [targets: string, code: string]>> = {
      'of a key that may not sign': [withTargets(held, { add }, makeSigningKey()), 'metadata_unsigned'],
      'of the root key': [withTargets(held, { add }, rootKey), 'metadata_unsigned'],
      'with another manifest': [withTargets(held, { add: [other] }, targetsKey), 'trust_target_missing'],
      'without the release': [withTargets(held, {}, targetsKey), 'trust_target_missing'],
      'and something beside': [
        withTargets(held, { add: [...add, { ...other, path: 'releases/x/1/amd64.json' }] }, targetsKey),
        'trust_change_unexpected',
      ],
      'without what was there': [
        withTargets(held, { add, remove: [releasePath('minimal/2/amd64')] }, targetsKey),
        'trust_change_unexpected',
      ],
      'of a version that was there': [withTargets(undefined, { add }, targetsKey), 'metadata_version'],
      'of a version beyond the next': [
        withTargets(withTargets(held, {}, targetsKey), { add }, targetsKey),
        'metadata_version',
      ],
      'that expired': [withTargets(held, { add }, targetsKey, new Date('2020-01-01')), 'metadata_expired'],
      'that are no JSON': ['nonsense', 'metadata_unreadable'],
      'that delegate': [
        held.replace('"targets":{', '"delegations":{"keys":{},"roles":[]},"targets":{'),
        'metadata_unreadable',
      ],
    };
    for (const [name, [targets, code]] of Object.entries(cases))
      await assert.rejects(publish(one, targets), { code }, name);
    assert.equal(await current(), held);
    assert.equal((await new Releases(store).list()).length, 1);
  });

  test('of two at once, the one that is late is told to look again', async () => {
    await init();
    await arrive(one);
    await arrive(two);
    const held = await current();
    const [mine = '', theirs = ''] = [one, two].map(({ manifest }) =>
      withTargets(held, { add: [releaseTarget(manifest)] }, targetsKey),
    );
    store.beforeNextCommit(() => send(two, theirs));
    await assert.rejects(send(one, mine), { code: 'metadata_version' });
    assert.deepEqual(
      (await new Releases(store).list()).map(({ manifest }) => manifest.version),
      ['2'],
    );
  });
});

describe('the timestamp', () => {
  test('is signed anew when half of its time is over, and the snapshot with it', async () => {
    await init();
    assert.equal(await trust.resign(later(83)), false);
    assert.equal(await trust.resign(later(85)), true);
    assert.deepEqual(await versions(), [1, 1, 2, 2]);
    const { timestamp } = await trust.show();
    assert.ok(new Date(outlineOf(timestamp ?? '').expires) > later(85 + 84));
  });

  test('is left alone where there is no root yet', async () => {
    assert.equal(await trust.resign(now), false);
  });

  test('and what it names stay for who has read the one before', async () => {
    await init();
    await publish();
    await publish(two);
    for (const file of ['2.targets.json', '3.targets.json', '1.snapshot.json', '3.snapshot.json'])
      await trust.file(file);
    await assert.rejects(trust.file('1.targets.json'), { code: 'trust_file_unknown' });
  });
});

describe('channels', () => {
  const pointer = (version: string, more: Partial<ChannelPointer> = {}): ChannelPointer => ({
    format: 1,
    name: 'minimal',
    channel: 'stable',
    architecture: 'amd64',
    version,
    movedAt: now.toISOString(),
    ...more,
  });
  const nobody = async () => ({ machines: [], segments: [], assignments: [], profiles: [] });
  let channels: Channels;

  beforeEach(async () => {
    channels = new Channels(store, trust);
    await init();
    await publish();
    await publish(two);
  });

  async function move(next: ChannelPointer, key = targetsKey): Promise<ChannelPointer[]> {
    return channels.move(withTargets(await current(), { add: [channelTarget(next)] }, key), nobody, now);
  }

  test('come and move by what is signed', async () => {
    assert.deepEqual(await move(pointer('1')), [pointer('1')]);
    assert.deepEqual(await move(pointer('2', { previous: '1' })), [pointer('2', { previous: '1' })]);
    const namings = await channels.namings(store);
    assert.deepEqual(
      namings.map(({ release, use }) => [release, use.kind]),
      [
        ['minimal/2/amd64', 'channel'],
        ['minimal/1/amd64', 'rollback'],
      ],
    );
  });

  test('are refused otherwise, and stay where they are', async () => {
    await move(pointer('1', { pinned: true }));
    const held = await current();
    const sign = (target: Parameters<typeof channelTarget>[0] | undefined, more = {}) =>
      withTargets(held, { add: target ? [channelTarget(target)] : [], ...more }, targetsKey);
    const lying = { ...channelTarget(pointer('1', { channel: 'beta' })), custom: { pointer: pointer('2') } };
    const cases: Readonly<Record<string, readonly [targets: string, code: string]>> = {
      'to a release that is not there': [sign(pointer('9', { channel: 'beta' })), 'channel_release_unknown'],
      'while pinned': [sign(pointer('2')), 'channel_pinned'],
      'with a pointer of another channel': [
        withTargets(held, { add: [lying] }, targetsKey),
        'channel_malformed',
      ],
      'without a pointer': [
        withTargets(held, { add: [{ ...lying, custom: {} }] }, targetsKey),
        'channel_malformed',
      ],
      'and a release goes beside': [
        sign(undefined, { remove: [releasePath('minimal/2/amd64')] }),
        'trust_change_unexpected',
      ],
    };
    for (const [name, [targets, code]] of Object.entries(cases))
      await assert.rejects(channels.move(targets, nobody, now), { code }, name);
    assert.deepEqual(await channels.list(), [pointer('1', { pinned: true })]);
    assert.deepEqual(await move(pointer('1')), [pointer('1')], 'unpinning is no move');
  });

  test('stay as long as a profile names them', async () => {
    await move(pointer('1'));
    const remove = ['channels/minimal/stable/amd64.json'];
    const removed = withTargets(await current(), { remove }, targetsKey);
    const profile = Profile.parse({
      name: 'web',
      kind: 'image',
      release: 'minimal/@stable/amd64',
      layout: { disks: [{ serial: 'S-1' }] },
    });
    const namedBy = async () => ({ machines: [], segments: [], assignments: [], profiles: [profile] });
    await assert.rejects(channels.move(removed, namedBy, now), {
      code: 'channel_in_use',
      message: /named by profile web/,
    });
    assert.deepEqual(await channels.move(removed, nobody, now), []);
  });

  test('of a channel that goes and a machine that comes to name it at the same time, one wins', async () => {
    await move(pointer('1'));
    const removed = withTargets(
      await current(),
      { remove: ['channels/minimal/stable/amd64.json'] },
      targetsKey,
    );
    const name = async (): Promise<unknown> => {
      return transact(store, 'a machine', async (reads) => ({
        put: { 'machines/m-1': {}, ...(await channels.hold(reads, 'minimal/@stable/amd64')) },
        result: undefined,
      }));
    };
    let named = false;
    store.beforeNextCommit(async () => {
      await name();
      named = true;
    });
    const machines = [
      { id: 'm-1', macs: [], intent: { kind: 'live' as const, release: 'minimal/@stable/amd64' } },
    ];
    const namedBy = async () => ({
      machines: named ? machines : [],
      segments: [],
      assignments: [],
      profiles: [],
    });
    await assert.rejects(channels.move(removed, namedBy, now), { code: 'channel_in_use' });
    assert.equal((await channels.list()).length, 1);
  });
});

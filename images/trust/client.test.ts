import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  type ChannelPointer,
  type Manifest,
  makeSigningKey,
  manifestBytes,
  sha256Of,
} from '@bootswarm/images/format';
import { Metadata, MetaFile, Snapshot } from '@tufjs/models';
import {
  channelTarget,
  makeSnapshot,
  makeTimestamp,
  releaseTarget,
  TrustClient,
  withTargets,
} from './index.ts';
import { signerOf } from './keys.ts';
import { FakeRepository, makeKeys } from './testing/index.ts';

const never = new AbortController().signal;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');

function manifestOf(version: string): Manifest {
  const artefact = (role: 'kernel' | 'initramfs' | 'root', digit: string) => ({
    role,
    name: role,
    length: 10,
    sha256: digit.repeat(64),
    pieceBytes: 1024 * 1024,
    pieces: [digit.repeat(64)],
  });
  return {
    format: 1,
    name: 'minimal',
    version,
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: ['quiet'],
    artefacts: [artefact('kernel', 'a'), artefact('initramfs', 'b'), artefact('root', 'c')],
  };
}

const stable: ChannelPointer = {
  format: 1,
  name: 'minimal',
  channel: 'stable',
  architecture: 'amd64',
  version: '1',
  movedAt: '2026-03-02T08:00:00Z',
};
const one = manifestOf('1');

let folder: string;
let repository: FakeRepository;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootswarm-trust-'));
  repository = new FakeRepository();
});

afterEach(() => rm(folder, { recursive: true }));

async function openClient(root = repository.root): Promise<TrustClient> {
  const client = await TrustClient.open(folder, root, repository.fetch);
  assert.ok(client);
  return client;
}

const kept = (): Promise<string> => readFile(join(folder, 'trusted.json'), 'utf8');

describe('a client of the trust metadata', () => {
  test('believes nothing before it has refreshed, and what is signed afterwards', async () => {
    repository.publish({ add: [releaseTarget(one), channelTarget(stable)] });
    const client = await openClient();
    assert.equal(client.objectionTo(one), 'no trust metadata was verified yet');
    assert.equal(client.channelOf('minimal/@stable/amd64'), undefined);
    assert.equal(await client.refresh(never), true);
    assert.equal(client.objectionTo(one), undefined);
    assert.deepEqual(client.manifestOf('minimal/1/amd64', manifestBytes(one)), one);
    assert.deepEqual(client.channelOf('minimal/@stable/amd64'), stable);
  });

  test('refuses a manifest with one changed bit, wherever it is, and one that nobody signed', async () => {
    repository.publish({ add: [releaseTarget(one)] });
    const client = await openClient();
    await client.refresh(never);
    const bytes = manifestBytes(one);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => client.manifestOf('minimal/1/amd64', changed), { code: 'manifest_unsigned' });
    }
    assert.equal(client.objectionTo(manifestOf('2')), 'it is not in the signed targets');
    assert.throws(() => client.manifestOf('minimal/2/amd64', bytes), { code: 'manifest_unsigned' });
  });

  test('asks for two files where nothing is new', async () => {
    const client = await openClient();
    await client.refresh(never);
    repository.asked.length = 0;
    assert.equal(await client.refresh(never), false);
    assert.deepEqual(repository.asked, ['2.root.json', 'timestamp.json']);
  });

  test('goes on with what it had, without fetching, after a restart', async () => {
    repository.publish({ add: [releaseTarget(one), channelTarget(stable)] });
    await (await openClient()).refresh(never);
    const again = await TrustClient.open(folder, undefined, () => assert.fail('nothing is fetched'));
    assert.equal(again?.objectionTo(one), undefined);
    assert.deepEqual(again?.channelOf('minimal/@stable/amd64'), stable);
  });

  test('forgets a release that was taken out of the targets', async () => {
    repository.publish({ add: [releaseTarget(one)] });
    const client = await openClient();
    await client.refresh(never);
    repository.publish({ remove: [releaseTarget(one).path] });
    await client.refresh(never);
    assert.equal(client.objectionTo(one), 'it is not in the signed targets');
  });

  test('serves on what it verified, to clients of its own', async () => {
    repository.publish({ add: [releaseTarget(one)] });
    repository.rotate({ root: makeSigningKey() });
    const client = await openClient(repository.files.get('1.root.json') as string);
    await client.refresh(never);
    await rm(folder, { recursive: true });
    const machine = await TrustClient.open(
      folder,
      repository.files.get('1.root.json') as string,
      async (file) => {
        const text = client.file(file);
        return text === undefined ? undefined : ReadableStream.from([Buffer.from(text)]);
      },
    );
    assert.equal(await machine?.refresh(never), true);
    assert.equal(machine?.objectionTo(one), undefined);
    for (const name of ['9.root.json', '9.targets.json', 'trusted.json', '../trusted.json', ''])
      assert.equal(client.file(name), undefined, name);
  });

  test('begins anew where it is given the root of other trust', async () => {
    repository.publish({ add: [releaseTarget(one)] });
    await (await openClient()).refresh(never);
    assert.equal((await openClient()).objectionTo(one), undefined, 'the same root again changes nothing');
    const other = new FakeRepository();
    const client = await openClient(other.root);
    assert.equal(client.objectionTo(one), 'no trust metadata was verified yet');
  });

  test('says that its state is no longer readable', async () => {
    await (await openClient()).refresh(never);
    const good = await kept();
    for (const [name, text] of [
      ['no JSON', '{'],
      ['cut short', good.slice(0, -100)],
      ['a changed byte of the targets', good.replace(/\\"targets\\":\{\}/, '\\"targets\\":{"x":{}}')],
    ] as const) {
      await writeFile(join(folder, 'trusted.json'), text);
      await assert.rejects(openClient(), { code: 'trust_state_unreadable' }, name);
    }
  });
});

describe('rotation of keys', () => {
  const cases = {
    root: ['root'],
    targets: ['targets'],
    'the online keys': ['snapshot', 'timestamp'],
    'all at once': ['root', 'targets', 'snapshot', 'timestamp'],
  } as const;
  for (const [name, roles] of Object.entries(cases))
    test(`is followed: ${name}`, async () => {
      repository.publish({ add: [releaseTarget(one)] });
      const client = await openClient();
      await client.refresh(never);
      repository.rotate(Object.fromEntries(roles.map((role) => [role, makeSigningKey()])));
      await client.refresh(never);
      repository.publish({ add: [releaseTarget(manifestOf('2'))] });
      await client.refresh(never);
      assert.equal(client.objectionTo(manifestOf('2')), undefined);
    });

  test('is followed over many roots by who was away, and the old key signs nothing any more', async () => {
    const first = repository.root;
    const old = repository.keys;
    for (let times = 0; times < 20; times++) repository.rotate(makeKeys());
    const client = await openClient(first);
    await client.refresh(never);
    const before = await kept();
    repository.targets = withTargets(repository.targets, { add: [releaseTarget(one)] }, old.targets);
    repository.resign();
    await assert.rejects(client.refresh(never), { code: 'trust_refused', message: /signed by 0\/1/ });
    assert.equal(await kept(), before);
  });

  test('by who has not the old root key is refused', async () => {
    const client = await openClient();
    await client.refresh(never);
    const before = await kept();
    const thief = { ...makeKeys(), targets: makeSigningKey() };
    repository.keys = { ...repository.keys, root: thief.root };
    repository.rotate({ targets: thief.targets });
    await assert.rejects(client.refresh(never), { code: 'trust_refused' });
    assert.equal(await kept(), before);
  });
});

describe('metadata that is refused leaves what was verified, on disk as well', () => {
  const two = manifestOf('2');
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(64 * 1024, ' ');
  }

  const cases: Readonly<Record<string, (old: FakeRepository['files']) => void>> = {
    'a timestamp of an earlier version': (old) => {
      repository.files.set('timestamp.json', old.get('timestamp.json') ?? '');
    },
    'a snapshot of an earlier version': () => {
      const { keys } = repository;
      const snapshot = makeSnapshot(undefined, repository.targets, keys.snapshot);
      repository.snapshot = snapshot;
      repository.timestamp = makeTimestamp(repository.timestamp, snapshot, keys.timestamp);
      repository.serve();
    },
    'targets of an earlier version, which a thief of the online keys signs for': (old) => {
      repository.targets = String(old.get('2.targets.json'));
      repository.resign();
    },
    'a timestamp that expired': () => {
      repository.timestamp = makeTimestamp(
        repository.timestamp,
        repository.snapshot,
        repository.keys.timestamp,
        LONG_AGO,
      );
      repository.serve();
    },
    'a snapshot that expired': () => {
      repository.snapshot = makeSnapshot(
        repository.snapshot,
        repository.targets,
        repository.keys.snapshot,
        LONG_AGO,
      );
      repository.timestamp = makeTimestamp(
        repository.timestamp,
        repository.snapshot,
        repository.keys.timestamp,
      );
      repository.serve();
    },
    'targets that expired': () => {
      repository.targets = withTargets(repository.targets, {}, repository.keys.targets, LONG_AGO);
      repository.resign();
    },
    'a snapshot that the timestamp does not name': () => {
      const other = makeSnapshot(undefined, repository.targets, repository.keys.snapshot);
      repository.files.set('4.snapshot.json', other);
    },
    'targets that the snapshot does not name': () => {
      const held = repository.targets;
      const other = withTargets(undefined, { add: [releaseTarget(two)] }, repository.keys.targets);
      const version = JSON.parse(held).signed.version as number;
      repository.files.set(`${version}.targets.json`, other);
    },
    'targets signed by a thief of the online keys': () => {
      const { timestamp } = repository.keys;
      repository.targets = withTargets(repository.targets, { add: [releaseTarget(two)] }, timestamp);
      repository.resign();
    },
    'a timestamp signed by nobody': () => {
      const stranger = makeSigningKey();
      repository.files.set(
        'timestamp.json',
        makeTimestamp(repository.timestamp, repository.snapshot, stranger),
      );
    },
    'a timestamp with one changed byte': () => {
      repository.files.set('timestamp.json', repository.timestamp.replace(/"version":\d+/, '"version":99'));
    },
    'a timestamp that is no JSON': () => {
      repository.files.set('timestamp.json', 'not found');
    },
    'a timestamp that is null': () => {
      repository.files.set('timestamp.json', 'null');
    },
    'a root where the timestamp should be': () => {
      repository.files.set('timestamp.json', repository.root);
    },
    'deep nesting': () => {
      repository.files.set('timestamp.json', `${'['.repeat(8000)}${']'.repeat(8000)}`);
    },
    'a timestamp without end': () => {
      repository.files.set('timestamp.json', endless());
    },
    'a root without end': () => {
      repository.files.set('2.root.json', endless());
    },
    'targets without end': () => {
      const { version } = JSON.parse(repository.targets).signed;
      repository.files.set(`${version}.targets.json`, endless());
    },
    'a root with thousands of keys, before its signature is looked at': () => {
      const root = JSON.parse(repository.root);
      root.signed.version = 2;
      for (let index = 0; index < 2000; index++) root.signed.keys[`k${index}`] = {};
      repository.files.set('2.root.json', JSON.stringify(root));
    },
    'thousands of targets, named by a thief of the online keys, before their signature is looked at': () => {
      const { keys } = repository;
      const targets = JSON.parse(repository.targets);
      for (let index = 0; index < 5000; index++)
        targets.signed.targets[`x/${index}`] = { length: 1, hashes: { sha256: 'a'.repeat(64) } };
      const text = JSON.stringify(targets);
      const { version } = targets.signed;
      const named = new MetaFile({ version, length: text.length, hashes: { sha256: sha256Of(text) } });
      const { version: held } = JSON.parse(repository.snapshot).signed;
      const snapshot = new Metadata(
        new Snapshot({
          specVersion: '1.0.31',
          version: held + 1,
          expires: '2100-01-01T00:00:00Z',
          meta: { 'targets.json': named },
        }),
      );
      snapshot.sign(signerOf(keys.snapshot));
      repository.snapshot = JSON.stringify(snapshot.toJSON());
      repository.timestamp = makeTimestamp(repository.timestamp, repository.snapshot, keys.timestamp);
      repository.serve();
      repository.files.set(`${version}.targets.json`, text);
    },
    'a timestamp that is not there': () => {
      repository.files.delete('timestamp.json');
    },
  };

  for (const [name, spoil] of Object.entries(cases))
    test(name, async () => {
      repository.publish({ add: [releaseTarget(one)] });
      const old = new Map(repository.files);
      repository.publish({ add: [channelTarget(stable)] });
      const client = await openClient();
      await client.refresh(never);
      const before = await kept();
      repository.publish({ add: [releaseTarget(two)] });
      spoil(old);
      const began = performance.now();
      await assert.rejects(client.refresh(never), { code: 'trust_refused' });
      assert.ok(performance.now() - began < 20_000, 'it does not take long');
      assert.equal(await kept(), before);
      assert.deepEqual(await readdir(folder), ['trusted.json'], 'nothing lies beside it');
      assert.equal(client.objectionTo(one), undefined, 'what was verified still holds');
      assert.notEqual(client.objectionTo(two), undefined);
    });

  test('a fetch that fails is told as that, and changes nothing', async () => {
    const client = await openClient();
    await client.refresh(never);
    const before = await kept();
    repository.publish({ add: [releaseTarget(one)] });
    repository.files.set(
      'timestamp.json',
      (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from('{');
        throw new Error('connection reset');
      })(),
    );
    await assert.rejects(client.refresh(never), /connection reset/);
    assert.equal(await kept(), before);
  });
});

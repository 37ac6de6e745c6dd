import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Client, type DesiredState, type JournalRecord } from '@bootswarm/controller/contract';
import { releaseTarget } from '@bootswarm/images/trust';
import { FakeRepository } from '@bootswarm/images/trust/testing';
import { segmentWith } from '../decide/testing/world.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { releaseOf } from '../testing/releases.ts';
import { EdgeTrust } from './trust.ts';

const never = new AbortController().signal;
const { manifest } = await releaseOf('one');

describe('what an edge believes', () => {
  let folder: string;
  let repository: FakeRepository;
  let server: Server;
  let journal: Omit<JournalRecord, 'seq'>[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-edge-trust-'));
    repository = new FakeRepository();
    repository.publish({ add: [releaseTarget(manifest)] });
    journal = [];
    server = createServer((incoming, outgoing) => {
      const held = repository.files.get(incoming.url?.split('/').at(-1) ?? '');
      const error = { code: 'trust_file_unknown', message: 'no such file', remedy: '' };
      outgoing.writeHead(held === undefined ? 404 : 200);
      outgoing.end(typeof held === 'string' ? held : JSON.stringify({ error }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  async function open(rootFile?: string): Promise<EdgeTrust> {
    const addToJournal = (record: Omit<JournalRecord, 'seq'>) => void journal.push(record);
    const trust = await EdgeTrust.open({ folder, rootFile, log: quietLog().log, addToJournal });
    await trust.use('the key of a controller');
    const { port } = server.address() as AddressInfo;
    trust.connect(new Client({ url: `http://127.0.0.1:${port}` }));
    return trust;
  }

  const rootOf = ({ files }: FakeRepository): string => String(files.get('1.root.json'));
  const stateWith = (more: Partial<DesiredState> = {}): DesiredState => ({
    format: 1,
    edge: 'edge1',
    revision: 5,
    segments: [segmentWith()],
    policy: { options: {}, classes: [] },
    fellows: [],
    machines: [],
    releases: [manifest],
    channels: [],
    trustRoot: rootOf(repository),
    ...more,
  });

  async function followed(trust: EdgeTrust, state = stateWith()): Promise<number> {
    await trust.meet(state);
    await trust.refresh(never);
    return (await trust.follow(state)).releases.length;
  }

  test('begins with the root of its first desired state, and takes no other after it', async () => {
    const trust = await open();
    assert.equal(await followed(trust), 1);
    const thief = new FakeRepository();
    thief.publish({ add: [releaseTarget({ ...manifest, version: '2' })] });
    repository = thief;
    const forged = stateWith({ releases: [{ ...manifest, version: '2' }] });
    assert.equal(await followed(trust, forged), 0);
    assert.equal(await followed(await open(), forged), 0, 'nor after a restart');
  });

  test('is nothing before there is a root, and says why', async () => {
    const trust = await open();
    const { trustRoot: _, ...untold } = stateWith();
    assert.equal(await followed(trust, untold), 0);
    assert.match(trust.waiting[0]?.reason ?? '', /no root of trust yet/);
    assert.equal(trust.waiting.length, manifest.artefacts.length);
    assert.deepEqual(
      journal.map(({ stage, cause }) => [stage, cause]),
      [['alarm', 'release_untrusted']],
    );
    await trust.follow(untold);
    assert.equal(journal.length, 1, 'the same is told once');
    assert.equal(await followed(trust), 1);
    assert.deepEqual(trust.waiting, []);
  });

  test('is what the root says that an operator brought, whatever the controller gives', async () => {
    const file = join(folder, 'root.json');
    await writeFile(file, rootOf(repository));
    const trust = await open(file);
    assert.equal(await followed(trust, stateWith({ trustRoot: rootOf(new FakeRepository()) })), 1);
    await assert.rejects(
      EdgeTrust.open({ folder, rootFile: `${file}x`, log: quietLog().log, addToJournal() {} }),
      {
        code: 'trust_root_unreadable',
      },
    );
  });

  test('goes on from what is kept where the controller is away, and is kept for each controller', async () => {
    assert.equal(await followed(await open()), 1);
    const kept = await EdgeTrust.open({
      folder,
      rootFile: undefined,
      log: quietLog().log,
      addToJournal() {},
    });
    const store = {
      credentials: () => ({ name: 'edge1', token: '', controllerKey: 'the key of a controller' }),
      desiredState: () => stateWith(),
    };
    assert.equal((await kept.followKept(store))?.releases.length, 1);
    await kept.use('the key of another controller');
    assert.equal((await kept.follow(stateWith())).releases.length, 0);
    assert.equal((await readdir(folder)).length, 2);
  });

  test('is begun anew where the disk lost it', async () => {
    assert.equal(await followed(await open()), 1);
    const [controller = ''] = await readdir(folder);
    await writeFile(join(folder, controller, 'trusted.json'), '{');
    await writeFile(join(folder, controller, 'followed.json'), '');
    assert.equal(await followed(await open()), 1);
  });

  test('is served to machines: metadata, and what is followed', async () => {
    const trust = await open();
    await followed(trust);
    const { name, version, architecture } = manifest;
    assert.deepEqual(
      JSON.parse(trust.file(`releases/${name}/${version}/${architecture}.json`) ?? ''),
      manifest,
    );
    assert.equal(trust.file('timestamp.json'), repository.timestamp);
    assert.equal(trust.file('releases/none/1/amd64.json'), undefined);
  });
});

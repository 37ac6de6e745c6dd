import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DesiredState, hashMenuPassword, type JournalRecord, Menu } from '@bootswarm/controller/contract';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import type { Lease } from '../decide/lease.ts';
import { HTTP_URL, leaseWith, MAC, segmentWith } from '../decide/testing/world.ts';
import { Serving } from './serving.ts';

const ADDRESS = '10.99.0.101';
const NOTHING = { format: 1, edge: 'edge', revision: 1, machines: [], releases: [] };
let folder: ArtefactFolder;
let path: string;

before(async () => {
  path = await mkdtemp(join(tmpdir(), 'bootswarm-serving-'));
  folder = await ArtefactFolder.open(path);
});
after(() => rm(path, { recursive: true }));

/** An edge with one segment, and what it journals. */
function edgeWith(state: object, lease?: Lease) {
  const journal: Omit<JournalRecord, 'seq'>[] = [];
  const serving = new Serving({
    holderOf: (address) => (address === lease?.address ? lease : undefined),
    folder,
    isReady: () => true,
    isCorrupt: () => false,
    addToJournal: (record) => void journal.push(record),
    installs: {
      progressOf: () => undefined,
      note: async () => {},
      settled: async () => {},
      ticketOf: () => '',
    },
    works: { workOf: () => undefined, note: async () => {} },
  });
  serving.apply(DesiredState.parse({ ...NOTHING, segments: [segmentWith()], ...state }));
  return { serving, journal };
}

describe('classes that only DHCP can tell', () => {
  const policy = {
    classes: [
      { name: 'ovmf', match: { vendorClass: 'PXEClient:Arch:00007' }, tftp: { blockBytesMost: 1024 } },
      { name: 'tagged', match: { platforms: ['bios'] }, vlan: 7 },
    ],
  };
  const seen = { segment: 'seg', mac: MAC };
  const script = (serving: Serving) =>
    serving.planFor({ address: ADDRESS, machine: { mac: MAC }, httpUrl: HTTP_URL });

  test('bear on TFTP and the script as they held at the last exchange', async () => {
    const { serving } = edgeWith({ policy }, leaseWith());
    assert.equal(serving.tftpCapsOf(ADDRESS).blockBytesMost, 1408);
    assert.equal((await script(serving))?.plan.kind, 'local');
    serving.note({ ...seen, classes: ['ovmf', 'tagged'] });
    assert.equal(serving.tftpCapsOf(ADDRESS).blockBytesMost, 1024);
    assert.deepEqual((await script(serving))?.plan, { kind: 'vlan', tag: 7 });
    serving.note({ ...seen, classes: [] });
    assert.equal(serving.tftpCapsOf(ADDRESS).blockBytesMost, 1408);
  });

  test('hold in the segment where it spoke alone', () => {
    const { serving } = edgeWith({ policy }, leaseWith());
    serving.note({ ...seen, segment: 'another', classes: ['ovmf'] });
    assert.equal(serving.tftpCapsOf(ADDRESS).blockBytesMost, 1408);
  });
});

describe('where another server leases the addresses', () => {
  const proxy = { segments: [segmentWith({ mode: 'proxy' })] };
  const told = (journal: readonly Omit<JournalRecord, 'seq'>[]) =>
    journal.map(({ stage, mac, address, next }) => `${stage} ${mac} ${address} ${next ?? ''}`.trim());

  test('what a machine fetches is journaled from its script on', async () => {
    const { serving, journal } = edgeWith(proxy);
    serving.tell('firmware', ADDRESS, { detail: 'nobody knows whose' });
    await serving.planFor({ address: ADDRESS, machine: { mac: MAC }, httpUrl: HTTP_URL });
    serving.tell('kernel', ADDRESS, { detail: 'fetched' });
    assert.deepEqual(told(journal), [`script ${MAC} ${ADDRESS} nothing`, `kernel ${MAC} ${ADDRESS}`]);
  });

  test('and before it, once its REQUEST to the other server was heard', async () => {
    const { serving, journal } = edgeWith(proxy);
    serving.note({ segment: 'seg', mac: MAC, address: ADDRESS });
    serving.tell('firmware', ADDRESS, { detail: 'complete' });
    await serving.planFor({ address: ADDRESS, machine: undefined, httpUrl: HTTP_URL });
    assert.deepEqual(told(journal), [`firmware ${MAC} ${ADDRESS}`, `script ${MAC} ${ADDRESS} nothing`]);
  });

  test('whoever asks by TFTP is who was seen at its address, and that is not certain', () => {
    const { serving } = edgeWith(proxy, leaseWith());
    assert.deepEqual(serving.viewerAt(ADDRESS), { address: ADDRESS, machine: undefined, isLeased: false });
    const seen = { segment: 'seg', mac: MAC, address: ADDRESS };
    serving.note(seen);
    assert.deepEqual(serving.viewerAt(ADDRESS), { address: ADDRESS, machine: seen, isLeased: false });
  });

  test('a lease from before counts no more', () => {
    const { serving, journal } = edgeWith(proxy, leaseWith());
    serving.tell('kernel', ADDRESS, { detail: 'fetched' });
    assert.deepEqual(journal, []);
  });
});

test('a file that is asked for in vain is journaled under its stage, with its cause', () => {
  const { serving, journal } = edgeWith({}, leaseWith());
  for (const name of ['vmlinuz', 'initrd.img', 'filesystem.squashfs'])
    serving.tellAbsent(ADDRESS, 'ab'.repeat(32), name);
  serving.tellAbsent(ADDRESS, '..', 'passwd');
  assert.deepEqual(
    journal.map(({ stage, cause }) => `${stage} ${cause}`),
    ['kernel artefact_missing', 'initramfs artefact_missing', 'root artefact_missing'],
  );
});

test('passwords of one address are compared one by one: meanwhile another is told to wait', async () => {
  const entries = [{ kind: 'memtest', label: 'Memory', locked: true }];
  const menu = { title: 'Rack', password: await hashMenuPassword('open sesame'), entries };
  const segment = segmentWith({ defaultIntent: { kind: 'menu' }, menu: Menu.parse(menu) });
  const { serving, journal } = edgeWith({ segments: [segment] });
  const ask = (password: string) =>
    serving.scriptFor({
      ...{ address: ADDRESS, mac: MAC, uuid: undefined, httpUrl: HTTP_URL },
      pick: { entry: 0, password },
    });
  const [right = '', other = ''] = await Promise.all([ask('open sesame'), ask('guess')]);
  assert.match(right, /memtest/);
  assert.match(other, /still being looked at/);
  assert.match((await ask('guess')) ?? '', /not the password/);
  assert.equal(journal.length, 2, 'who waits is not journaled');
});

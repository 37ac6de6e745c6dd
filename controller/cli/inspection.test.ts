import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, endpoints, Inspection, type JournalRecord } from '@bootswarm/controller/contract';
import { Site } from './testing/site.ts';

const MAC = '52:54:00:00:00:01';
const GIB = 1024 ** 3;
const disk = { name: 'sda', sizeBytes: 100 * GIB, serial: 'S-1', model: 'Disk 9000' };
const inspection = (facts: object): Inspection =>
  Inspection.parse({
    format: 1,
    takenAt: new Date(Date.now() - 3 * 86_400_000).toISOString(),
    firmware: 'uefi',
    secureBoot: 'off',
    system: { manufacturer: 'Maker', product: 'Server 9', serial: 'M-1' },
    processors: { model: 'CPU', sockets: 2, cores: 16, threads: 32 },
    memory: { totalBytes: 64 * GIB, modules: [{ slot: 'A1', sizeMib: 65536 }] },
    disks: [disk],
    cards: [
      {
        name: 'eth0',
        mac: MAC,
        driver: 'ixgbe',
        speedMbitPerS: 10_000,
        hasLink: true,
        neighbours: [{ chassis: '00:11', port: 'xe-0/0/7', systemName: 'leaf1', vlan: 42 }],
      },
    ],
    ...facts,
  });

const PROFILE = `
name: web
kind: image
release: minimal/1.0/amd64
layout:
  disks: [{ serial: S-1 }]
  root: { size: 20GiB }
  lvm: { volumes: [{ name: srv, size: 40GiB, mount: /srv }] }
`;

describe('a machine that an agent inspects and installs', () => {
  let site: Site;
  let edge: Client;

  before(async () => {
    site = await Site.start();
    const { folder } = await site.build('1.0', 5000);
    assert.equal((await site.run('image', 'publish', folder)).code, 0);
    const { joinToken } = await site.client.call(endpoints.addEdge, { body: { name: 'edge1' } });
    const { token } = await new Client({ url: site.url, token: joinToken }).call(endpoints.join, {});
    edge = new Client({ url: site.url, token });
    const file = join(site.folder, 'web.yaml');
    await writeFile(file, PROFILE);
    const applied = await site.run('profile', 'apply', file);
    assert.equal(applied.stdout, 'profile web: added\n');
    await site.run('machine', 'boot', MAC, 'inspect');
  });

  after(() => site[Symbol.asyncDispose]());

  const send = (facts: object): Promise<unknown> =>
    edge.call(endpoints.sendInspection, {
      body: { mac: MAC, segment: 'lab', inspection: inspection(facts) },
    });

  test('has no inspection at first, and is told how to get one', async () => {
    const { code, stderr } = await site.run('machine', 'inspection', MAC);
    assert.equal(code, 1);
    assert.match(stderr, /has no inspection yet[\s\S]*machine boot 52:54:00:00:00:01 inspect/);
    assert.match((await site.run('machine', 'plan', MAC, 'web')).stderr, /has no inspection yet/);
  });

  test('is shown as it was found, with where it is cabled', async () => {
    await send({});
    const { stdout } = await site.run('machine', 'inspection', MAC);
    assert.match(stdout, /inspection: +1 of \S+, 3 days ago, by edge edge1/);
    assert.match(stdout, /system: +Maker, Server 9, serial M-1/);
    assert.match(stdout, /firmware: +UEFI, Secure Boot off/);
    assert.match(stdout, /memory: +64\.0 GiB in 1 modules/);
    assert.match(stdout, /sda +107 GB +Disk 9000 +S-1/);
    assert.match(stdout, /eth0 +52:54:00:00:00:01 +ixgbe +10000 Mbit\/s +leaf1 xe-0\/0\/7, VLAN 42/);
    const json = JSON.parse((await site.run('--json', 'machine', 'inspection', MAC)).stdout);
    assert.equal(json.inspection.disks[0].serial, 'S-1');
  });

  test('is shown as a difference to what it was', async () => {
    const other = { ...disk, name: 'sdb', serial: 'S-2' };
    await send({ takenAt: new Date().toISOString(), disks: [{ ...disk, name: 'nvme0n1' }, other] });
    const { stdout } = await site.run('machine', 'inspection', MAC, '--diff');
    assert.match(stdout, /^What changed between inspection 1 of .* and 2 of /);
    assert.match(stdout, /disks S-1 \/ name +sda +nvme0n1/);
    assert.match(stdout, /disks S-2 \/ serial +- +S-2/);
    assert.match((await site.run('machine', 'inspection', MAC, '--number', '1')).stdout, /sda +107 GB/);
    assert.match(
      (await site.run('machine', 'inspection', MAC, '--number', '9')).stderr,
      /has no inspection 9/,
    );
    assert.match(
      (await site.run('machine', 'inspection', MAC, '--number', '1', '--diff')).stderr,
      /before 1/,
    );
  });

  test('has a plan of its disks before anything is written, or a refusal', async () => {
    const { code, stdout } = await site.run('machine', 'plan', MAC, 'web');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^Install minimal\/1\.0\/amd64 on m-\w+ by profile web, as inspection 2 found it \d+ \w+ ago:/,
    );
    assert.match(stdout, /nvme0n1 \(Disk 9000, serial S-1\) of 100 GiB, GPT, UEFI, grub/);
    assert.match(stdout, /20 GiB +root +ext4 at \/\n/);
    assert.match(stdout, /data\/srv +40 GiB +ext4 at \/srv/);
    await send({ disks: [{ ...disk, serial: 'S-3' }] });
    const refused = await site.run('machine', 'plan', MAC, 'web');
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /Nothing would be written: no disk has serial S-1; there is sda/);
  });

  test('shows how its installation stands, in the list and by itself', async () => {
    await site.run('machine', 'boot', MAC, 'install', 'web');
    assert.match((await site.run('machine', 'list')).stdout, /install web +reserved +armed/);
    let seq = 0;
    const tell = async (facts: Partial<JournalRecord>): Promise<string> => {
      seq += 1;
      const record = {
        seq,
        at: new Date().toISOString(),
        stage: 'install',
        mac: MAC,
        epoch: 2,
        detail: 'told',
      };
      await edge.call(endpoints.sendJournal, {
        body: { records: [{ ...record, ...facts } as JournalRecord] },
      });
      const { stdout } = await site.run('machine', 'show', MAC);
      return /^disks: +(.*)$/m.exec(stdout)?.[1]?.replace(/ since \S+Z/, '') ?? stdout;
    };
    assert.equal(await tell({ detail: 'try 1 begins' }), 'installing: try 1 begins');
    assert.equal(await tell({ spentEpoch: 2 }), 'installed: told');
    const silent = { stage: 'first-boot', cause: 'no_first_boot', detail: 'silent' } as const;
    assert.equal(await tell(silent), 'failed: no_first_boot: silent');
    assert.equal(await tell({ stage: 'first-boot', detail: 'up' }), 'active: up');
    assert.match((await site.run('machine', 'list')).stdout, /install web +active/);
  });

  test('is wiped only where somebody says which disks', async () => {
    const { code, stderr } = await site.run('machine', 'boot', MAC, 'wipe');
    assert.equal(code, 1);
    assert.match(stderr, /needs either --disk SERIAL or --all/);
    const { stdout } = await site.run(
      'machine',
      'boot',
      MAC,
      'wipe',
      '--disk',
      'S-1',
      '--method',
      'overwrite',
    );
    assert.match(stdout, /boots: wipe S-1 \(overwrite\)/);
  });
});

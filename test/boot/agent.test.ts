import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { EdgeRecord, Inspection, MachineStory } from '@bootswarm/controller/contract';
import { Lab, type Machine, type Segment } from '../lab/index.ts';
import { buildMini, buildMinimal } from './build.ts';
import { isGivenByMachines } from './live-neighbour.ts';
import { startLldpd } from './lldpd.ts';
import { Site } from './site.ts';

/** Emulated on two shared cores: firmware, the mini image, its drivers, and 35 s for switches. */
const INSPECTED_MS = 600_000;
/** Once the agent is there. */
const WORK_MS = 240_000;
const LOGIN_MS = 480_000;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

const MAC = '52:54:00:b0:0b:01';
const UUID = '6f1c2f5e-0000-4000-8000-00000000b001';
/** What stands on the disks. */
const SECRET = 'x';
const OTHER_MACS = ['52:54:00:b0:0b:02', '52:54:00:b0:0b:03'] as const;

interface GivenDisk {
  readonly serial: string;
  readonly mib: number;
  readonly device: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** What QEMU is given, and what is to be found of it. */
const DISKS: readonly GivenDisk[] = [
  { serial: 'VB-1', mib: 300, device: 'virtio-blk-pci', expected: { isRotational: true } },
  { serial: 'NV-2', mib: 400, device: 'nvme', expected: { model: 'QEMU NVMe Ctrl', isRotational: false } },
  {
    serial: 'SC-3',
    mib: 500,
    device: 'scsi-hd,bus=scsi0.0,wwn=0x5000c50015ea71aa,vendor=ACME,product=SPINNER,rotation_rate=7200',
    expected: { model: 'SPINNER', wwn: '0x5000c50015ea71aa', isRotational: true },
  },
  {
    serial: 'SC-4',
    mib: 600,
    device: 'scsi-hd,bus=scsi0.0,wwn=0x5000c50015ea71ab,vendor=ACME,product=FLASH,rotation_rate=1',
    expected: { model: 'FLASH', wwn: '0x5000c50015ea71ab', isRotational: false },
  },
];

describe('the agent on a machine', { timeout: 30 * 60_000 }, () => {
  let lab: Lab;
  let site: Site;
  let segment: Segment;
  let machine: Machine;
  let address = '';
  let live = '';

  before(async () => {
    lab = await Lab.create('agent');
    site = await Site.start(lab);
    const folder = `${lab.folder}/mini-vm`;
    await buildMini('vm', folder, site.env);
    segment = await lab.addSegment({ relay: 'none' });
    await site.addEdge('edge1', segment.coreInterface ?? '');
    await site.addSegment(segment, 'edge1');
    await site.changeSegment(segment, { swarm: { from: 1 } });
    const release = await site.publish(folder);
    await site.bootswarm('mini', 'use', release);
    await site.releaseReady(release);
    await buildMinimal(`${lab.folder}/minimal`);
    live = await site.publish(`${lab.folder}/minimal`);
  });

  after(() => lab[Symbol.asyncDispose]());

  test('finds four disks, three cards and a switch as they were given to QEMU', async () => {
    await site.bootswarm('machine', 'boot', MAC, 'inspect');
    machine = await segment.startMachine({
      name: 'inspected',
      firmware: 'uefi',
      mac: MAC,
      uuid: UUID,
      serial: 'SN-4711',
      cpus: 2,
      memoryMiB: 1536,
      extraArguments: [
        ...['-smbios', 'type=17,manufacturer=ACME,serial=RAM-1,part=DDR'],
        ...['-device', 'virtio-scsi-pci,id=scsi0'],
        ...DISKS.flatMap((disk, index) => diskArguments(disk, index)),
        // Cards whose cables end in a hub of their own: a link, and no switch.
        ...OTHER_MACS.flatMap((mac, index) => [
          ...['-netdev', `hubport,id=hub${index},hubid=${index + 1}`],
          ...['-device', `${index === 0 ? 'virtio-net-pci' : 'vmxnet3'},netdev=hub${index},mac=${mac}`],
        ]),
      ],
    });
    await startLldpd(lab, segment, machine.tap, 'a switch for tests');
    const found = await inspectionOf(MAC);
    ({ address = '' } = await recordOf(({ stage }) => stage === 'agent'));

    assert.equal(found.firmware, 'uefi');
    assert.notEqual(found.secureBoot, 'on');
    assert.ok(found.bootOrder.some(({ kind, isActive }) => kind === 'network' && isActive));
    assert.deepEqual([found.system.uuid, found.system.serial], [UUID, 'SN-4711']);
    assert.equal(found.processors.threads, 2);
    const [dimm] = found.memory.modules;
    assert.equal(found.memory.modules.length, 1);
    assert.deepEqual([dimm?.sizeMib, dimm?.serial, dimm?.part], [1536, 'RAM-1', 'DDR']);
    assert.ok(found.memory.totalBytes > 1.2 * GIB && found.memory.totalBytes < 1.5 * GIB);

    assert.deepEqual(
      found.disks.map(({ serial }) => serial).toSorted(),
      DISKS.map(({ serial }) => serial).toSorted(),
    );
    for (const { serial, mib, expected } of DISKS) {
      const disk = found.disks.find((each) => each.serial === serial);
      const shown = Object.fromEntries(Object.keys(expected).map((key) => [key, disk?.[key as 'model']]));
      assert.deepEqual(
        { sizeBytes: disk?.sizeBytes, ...shown },
        { sizeBytes: mib * MIB, ...expected },
        serial,
      );
      assert.deepEqual([disk?.holds, disk?.isBusy, disk?.isReadOnly], [[], false, false], serial);
    }

    const drivers = { [MAC]: 'virtio_net', [OTHER_MACS[0]]: 'virtio_net', [OTHER_MACS[1]]: 'vmxnet3' };
    assert.deepEqual(Object.fromEntries(found.cards.map(({ mac, driver }) => [mac, driver])), drivers);
    assert.ok(found.cards.every(({ hasLink }) => hasLink));
    const neighbours = Object.fromEntries(found.cards.map((card) => [card.mac, card.neighbours]));
    const [neighbour] = neighbours[MAC] ?? [];
    assert.equal(neighbour?.systemDescription, 'a switch for tests');
    assert.equal(neighbour?.portDescription, machine.tap);
    const addressesOf = async (links: string): Promise<readonly string[]> =>
      (await segment.run(['sh', '-c', `cat /sys/class/net/${links}/address`])).stdout.trim().split('\n');
    assert.deepEqual([neighbour?.port], await addressesOf(machine.tap));
    assert.ok((await addressesOf('*')).includes(neighbour?.chassis ?? ''), neighbour?.chassis);
    assert.deepEqual(
      OTHER_MACS.map((mac) => neighbours[mac]),
      [[], []],
    );
    assert.ok(found.pci.some(({ id, driver }) => id === '1b36:0010' && driver === 'nvme'));
  });

  test('wipes the disk that is named, proves it, and leaves the others alone', async () => {
    await site.bootswarm('machine', 'boot', MAC, 'wipe', '--disk', 'SC-3', '--method', 'overwrite');
    await recordOf(({ stage, detail }) => stage === 'agent' && /^wiped: wiped sd\w .*SC-3/.test(detail));
    const [first, , wiped] = DISKS.map((_, index) => readFileSync(fileOf(index)));
    assert.ok(wiped?.every((byte) => byte === 0));
    assert.ok(first?.every((byte) => byte === SECRET.charCodeAt(0)));
  });

  test('lets in whoever has the key, and nobody else', async () => {
    const key = `${lab.folder}/key`;
    const other = `${lab.folder}/other`;
    for (const file of [key, other])
      await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    await site.bootswarm('machine', 'boot', MAC, 'rescue', '--ssh-key', `${key}.pub`);
    await recordOf(({ detail }) => detail.startsWith('rescue: 1 keys may come in'));
    const ssh = (file: string) =>
      lab.core.run(
        [
          ...['ssh', '-i', file, '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no'],
          ...['-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=60', `root@${address}`],
          'cat /usr/lib/bootswarm/version',
        ],
        { timeoutMs: WORK_MS },
      );
    const inside = await ssh(key);
    assert.equal(inside.code, 0, inside.stderr);
    assert.match(inside.stdout, /^\d+\.\d+/);
    assert.notEqual((await ssh(other)).code, 0);
  });

  test('fetches a live root of the swarm into memory, hands over to it, and gives on', async () => {
    await site.bootswarm('machine', 'boot', MAC, 'live', live, '--by-agent');
    // Of peers there is the edge alone.
    const { match } = await machine.waitFor(/came from neighbours \(0 bytes\), the edge \((\d+)\)/, WORK_MS);
    assert.ok(Number(match[1]) > 50 * MIB);
    await machine.waitFor(/login:/, LOGIN_MS);
    assert.doesNotMatch(machine.console.text, /is not given to neighbours/);
    assert.ok(await isGivenByMachines(lab, segment, `${lab.folder}/minimal`));
    await recordOf(({ detail }) => detail.startsWith(`live: ${live} takes over`));
    await machine.powerOff();
  });

  function fileOf(index: number): string {
    return `${lab.folder}/disk${index}.raw`;
  }

  async function storyOf(): Promise<MachineStory> {
    return (await site.bootswarm('machine', 'show', MAC)) as MachineStory;
  }

  async function recordOf(isIt: (record: EdgeRecord) => boolean): Promise<EdgeRecord> {
    for (const deadline = Date.now() + WORK_MS; Date.now() < deadline; await sleep(1_000)) {
      const found = (await storyOf()).journal.find(isIt);
      if (found) return found;
    }
    throw new Error(
      `it was not told: ${JSON.stringify((await storyOf()).journal.slice(0, 8), undefined, 1)}`,
    );
  }

  function diskArguments({ serial, mib, device }: GivenDisk, index: number): string[] {
    const file = fileOf(index);
    writeFileSync(file, Buffer.alloc(mib * MIB, SECRET));
    return [
      ...['-drive', `if=none,id=disk${index},format=raw,file=${file}`],
      ...['-device', `${device},drive=disk${index},serial=${serial}`],
    ];
  }

  async function inspectionOf(mac: string): Promise<Inspection> {
    for (const deadline = Date.now() + INSPECTED_MS; Date.now() < deadline; await sleep(2_000)) {
      const shown = await site.bootswarm('machine', 'inspection', mac).catch((error: Error) => {
        if (!/inspection_none/.test(error.message)) throw error;
      });
      if (shown !== undefined) return (shown as { readonly inspection: Inspection }).inspection;
    }
    throw new Error(`no inspection of ${mac} within ${INSPECTED_MS / 1000} s`);
  }
});

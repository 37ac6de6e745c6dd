import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Programs } from '../install/run-program.ts';
import { collectDisks } from './collect-disks.ts';

const top = mkdtempSync(join(tmpdir(), 'bootswarm-disks-'));
after(() => rmSync(top, { recursive: true }));

function put(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** blkid and wipefs that know some devices by heart. */
function programsOf(
  answers: Readonly<Record<string, { readonly code: number; readonly stdout: string }>>,
): Programs & {
  readonly asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    run: async (argv) => {
      asked.push(argv.join(' '));
      return answers[`${argv[0]} ${argv.at(-1)}`] ?? { code: 2, stdout: '' };
    },
  };
}

describe('the disks of a machine', () => {
  const root = join(top, 'machine');
  const PCI = 'sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0';
  put(root, {
    [`${PCI}/block/sda/size`]: '204800\n',
    [`${PCI}/block/sda/device/vpd_pg80`]: '\u0000\u0080\u0000\u0004S-45',
    [`${PCI}/block/sda/sda1/partition`]: '1\n',
    [`${PCI}/block/sda/sda2/partition`]: '2\n',
    [`${PCI}/block/sda/queue/logical_block_size`]: '512\n',
    'sys/block/vda/size': '4096\n',
    'sys/block/vda/serial': 'V-1\n',
    'sys/block/vda/vda1/partition': '1\n',
    'sys/block/vda/vda1/holders/md127/uevent': '',
    'dev/vda': '',
    'dev/vda1': '',
    'sys/block/sr0/size': '4096\n',
    'proc/mounts': '/dev/sda2 / ext4 rw 0 0\nproc /proc proc rw 0 0\n',
    'proc/swaps': 'Filename Type Size\n',
  });
  symlinkSync(join(root, PCI, 'block/sda'), join(root, 'sys/block/sda'));
  const signal = new AbortController().signal;
  const answers = {
    'blkid /dev/sda': { code: 0, stdout: 'PTUUID=ABCD-1\nPTTYPE=gpt\n' },
    'blkid /dev/sda1': { code: 0, stdout: 'TYPE=ext4\nPART_ENTRY_NAME=bootswarm-keep-db\n' },
    'blkid /dev/sda2': { code: 8, stdout: '' },
    'wipefs /dev/sda2': { code: 0, stdout: 'ext4\nlinux_raid_member\n' },
  };

  test('are those of /sys/block, with what is on them and what holds them', async () => {
    const [sda, vda, ...rest] = await collectDisks({ programs: programsOf(answers), signal, root });
    assert.deepEqual(rest, [], 'a drive for discs is none');
    assert.equal(sda?.disk.serial, 'S-45');
    assert.deepEqual(sda?.disk.byPath, ['pci-0000:00:1f.2-ata-1.0', 'pci-0000:00:1f.2-ata-1']);
    assert.equal(sda?.tableUuid, 'abcd-1');
    assert.deepEqual(
      sda?.disk.holds.map(({ kind, where }) => `${kind} ${where}`),
      ['data-mark sda1', 'filesystem sda1', 'filesystem sda2', 'raid sda2'],
    );
    assert.equal(sda?.disk.isBusy, true, 'it is mounted');
    assert.equal(vda?.disk.isBusy, true, 'an array holds it');
    assert.equal(vda?.tableUuid, undefined);
  });

  test('are not probed where they are none', async () => {
    const programs = programsOf(answers);
    await collectDisks({ programs, signal, root });
    assert.deepEqual(
      programs.asked.filter((line) => line.includes('sr0')),
      [],
    );
  });

  test('keep their mark whatever blkid makes of the partition, and one that cannot be read may hold anything', async () => {
    const failing = join(top, 'failing');
    put(failing, {
      'sys/block/sdb/size': '204800\n',
      'sys/block/sdb/sdb1/partition': '1\n',
      'sys/block/sdb/sdb1/uevent': 'DEVTYPE=partition\nPARTN=1\nPARTNAME=bootswarm-keep-db\n',
      'sys/block/sdb/sdb2/partition': '2\n',
      'sys/block/sdb/sdb2/uevent': 'DEVTYPE=partition\nPARTNAME=bootswarm-keep-log\n',
      'sys/block/sdb/sdb3/partition': '3\n',
      'dev/sdb3': '',
      // To be opened, and not to be read: EISDIR stands for EIO.
      'dev/sdb1/x': '',
    });
    const [sdb] = await collectDisks({
      programs: programsOf({
        'blkid /dev/sdb': { code: 0, stdout: 'PTUUID=1\nPTTYPE=gpt\n' },
        'blkid /dev/sdb2': { code: 8, stdout: '' },
        'wipefs /dev/sdb2': { code: 0, stdout: 'ext4\nxfs\n' },
      }),
      signal,
      root: failing,
    });
    assert.deepEqual(
      sdb?.disk.holds.map(({ kind, where, detail }) => `${kind} ${where} ${detail}`),
      [
        'data-mark sdb1 bootswarm-keep-db',
        'data-mark sdb2 bootswarm-keep-log',
        'filesystem sdb2 ext4',
        'filesystem sdb2 xfs',
        'unreadable sdb1 EISDIR',
      ],
    );
  });

  test('tell the volume group that they belong to, where there is one', async () => {
    const grouped = join(top, 'grouped');
    put(grouped, {
      'sys/block/sdc/size': '204800\n',
      'sys/block/sdc/sdc1/partition': '1\n',
      'sys/block/sdc/sdc2/partition': '2\n',
    });
    const member = { code: 0, stdout: 'TYPE=LVM2_member\nUUID=abc\n' };
    const programs = programsOf({
      'blkid /dev/sdc': { code: 0, stdout: 'PTUUID=1\n' },
      'blkid /dev/sdc1': member,
      'blkid /dev/sdc2': member,
      'pvs /dev/sdc1': { code: 0, stdout: '  data\n' },
      'pvs /dev/sdc2': { code: 5, stdout: '' },
    });
    const [sdc] = await collectDisks({ programs, signal, root: grouped });
    assert.deepEqual(sdc?.disk.holds, [
      { kind: 'lvm', where: 'sdc1', detail: 'LVM2_member data', group: 'data' },
      { kind: 'lvm', where: 'sdc2', detail: 'LVM2_member abc' },
    ]);
  });

  test('are none where /sys has none', async () => {
    assert.deepEqual(
      await collectDisks({ programs: programsOf({}), signal, root: join(top, 'nothing') }),
      [],
    );
  });
});

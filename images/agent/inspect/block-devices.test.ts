import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Disk } from '@bootswarm/images/install';
import { type DiskFindings, diskFrom, parseBlkidExport } from './block-devices.ts';

const NOTHING: DiskFindings = { devices: [], byPath: [], isBusy: false };
const sysOf =
  (attributes: Readonly<Record<string, string>>) =>
  (path: string): string | undefined =>
    attributes[path];

test('a disk is told as the kernel knows it', () => {
  const sys = sysOf({
    size: '204800',
    'device/model': 'SAMSUNG MZ7   ',
    wwid: 'naa.5002538e00000001',
    'queue/rotational': '0',
    removable: '0',
    ro: '0',
    'queue/logical_block_size': '512',
  });
  const disk = diskFrom('sda', sys, {
    ...NOTHING,
    vpdSerial: 'S45 \u0000',
    byPath: ['pci-0000:00:1f.2-ata-1'],
    devices: [
      { name: 'sda1', signature: { TYPE: 'vfat', LABEL: 'EFI', PART_ENTRY_NAME: 'esp' } },
      { name: 'sda2', signature: { TYPE: 'linux_raid_member', LABEL: 'host:0' } },
      { name: 'sda3', signature: { TYPE: 'ext4', PART_ENTRY_NAME: 'bootswarm-keep-db' } },
      { name: 'sda4', signature: {} },
    ],
  });
  assert.deepEqual(disk && Disk.parse(disk), {
    name: 'sda',
    sizeBytes: 204_800 * 512,
    sectorBytes: 512,
    model: 'SAMSUNG MZ7',
    serial: 'S45',
    wwn: '0x5002538e00000001',
    byPath: ['pci-0000:00:1f.2-ata-1'],
    isRotational: false,
    isRemovable: false,
    isReadOnly: false,
    isBusy: false,
    holds: [
      { kind: 'filesystem', where: 'sda1', detail: 'vfat EFI' },
      { kind: 'raid', where: 'sda2', detail: 'linux_raid_member host:0' },
      { kind: 'data-mark', where: 'sda3', detail: 'bootswarm-keep-db' },
      { kind: 'filesystem', where: 'sda3', detail: 'ext4' },
    ],
  });
});

test('a path of an NVMe disk that the kernel hides is no disk, and a made-up identity is told whole', () => {
  const wwid = `nvme.1b36-${'3'.repeat(40)}-${'5'.repeat(80)}-00000001`;
  assert.equal(diskFrom('nvme0c0n1', sysOf({ size: '2048', hidden: '1' }), NOTHING), undefined);
  const disk = diskFrom('nvme0n1', sysOf({ size: '2048', hidden: '0', wwid }), NOTHING);
  assert.equal(disk && Disk.parse(disk).wwn, wwid);
});

test('every kind of member is known as somebody’s', () => {
  const cases = {
    linux_raid_member: 'raid',
    isw_raid_member: 'raid',
    ddf_raid_member: 'raid',
    LVM2_member: 'lvm',
    zfs_member: 'zfs',
    btrfs: 'btrfs',
    crypto_LUKS: 'luks',
    ceph_bluestore: 'ceph',
    swap: 'swap',
    xfs: 'filesystem',
  };
  for (const [type, kind] of Object.entries(cases)) {
    const devices = [{ name: 'vda', signature: { TYPE: type } }];
    const disk = diskFrom('vda', sysOf({ size: '8' }), { ...NOTHING, devices });
    assert.equal(disk?.holds[0]?.kind, kind, type);
  }
});

test('what is no disk of the machine is left out', () => {
  const sys = sysOf({ size: '100' });
  for (const name of ['loop0', 'ram1', 'zram0', 'sr0', 'md127', 'dm-3', 'nbd0'])
    assert.equal(diskFrom(name, sys, NOTHING), undefined, name);
  assert.equal(diskFrom('sda', sysOf({ size: '0' }), NOTHING), undefined);
  assert.ok(diskFrom('nvme0n1', sys, NOTHING));
});

test('blkid is read line by line', () => {
  assert.deepEqual(parseBlkidExport('DEVNAME=/dev/sda1\nLABEL=a=b\nTYPE=ext4\n\n'), {
    DEVNAME: '/dev/sda1',
    LABEL: 'a=b',
    TYPE: 'ext4',
  });
});

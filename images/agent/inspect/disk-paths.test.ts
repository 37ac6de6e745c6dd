import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPathNames } from './disk-paths.ts';

const PCI = '/sys/devices/pci0000:00';
const cases: readonly {
  readonly name: string;
  readonly device: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly hosts?: readonly string[];
  readonly expected: readonly string[];
}[] = [
  {
    name: 'a virtio disk by its PCI address',
    device: `${PCI}/0000:00:04.0/virtio1/block/vda`,
    expected: ['pci-0000:00:04.0'],
  },
  {
    name: 'a SATA disk by its port, in both of udev’s ways',
    device: `${PCI}/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda`,
    files: { [`${PCI}/0000:00:1f.2/ata3/ata_port/ata3/port_no`]: '3' },
    expected: ['pci-0000:00:1f.2-ata-3.0', 'pci-0000:00:1f.2-ata-3'],
  },
  {
    name: 'an NVMe disk behind a bridge by its namespace',
    device: `${PCI}/0000:00:1b.0/0000:02:00.0/nvme/nvme0/nvme0n1`,
    files: { [`${PCI}/0000:00:1b.0/0000:02:00.0/nvme/nvme0/nvme0n1/nsid`]: '1' },
    expected: ['pci-0000:02:00.0-nvme-1'],
  },
  {
    name: 'a disk of a RAID card, whose hosts count from its lowest',
    device: `${PCI}/0000:03:00.0/host7/target7:2:1/7:2:1:0/block/sdb`,
    hosts: ['host6', 'host7'],
    expected: ['pci-0000:03:00.0-scsi-1:2:1:0'],
  },
  {
    name: 'a SCSI disk of virtio',
    device: `${PCI}/0000:00:05.0/virtio2/host2/target2:0:3/2:0:3:0/block/sdc`,
    hosts: ['host2'],
    expected: ['pci-0000:00:05.0-scsi-0:0:3:0'],
  },
  {
    name: 'a USB stick',
    device: `${PCI}/0000:00:14.0/usb1/1-4/1-4:1.0/host9/target9:0:0/9:0:0:0/block/sdd`,
    hosts: ['host9'],
    expected: ['pci-0000:00:14.0-usb-0:4:1.0-scsi-0:0:0:0'],
  },
  {
    name: 'a SAS disk by its phy and by its address',
    device: `${PCI}/0000:05:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda`,
    files: {
      [`${PCI}/0000:05:00.0/host0/port-0:0/end_device-0:0/sas_device/end_device-0:0/phy_identifier`]: '4',
      [`${PCI}/0000:05:00.0/host0/port-0:0/end_device-0:0/sas_device/end_device-0:0/sas_address`]:
        '0x5000c50012345678',
    },
    expected: ['pci-0000:05:00.0-sas-phy4-lun-0', 'pci-0000:05:00.0-sas-0x5000c50012345678-lun-0'],
  },
  { name: 'nothing of what has no PCI device', device: '/sys/devices/virtual/block/dm-0', expected: [] },
];

for (const { name, device, files = {}, hosts = [], expected } of cases)
  test(`by-path names ${name}`, () => {
    assert.deepEqual(
      byPathNames(
        device,
        (path) => files[path],
        () => hosts,
      ),
      expected,
    );
  });

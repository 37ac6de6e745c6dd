import type { InstallOrder } from '@bootswarm/controller/contract';
import {
  Disk,
  type DiskFacts,
  DiskLayout,
  type DiskPlan,
  isRefusal,
  planDisks,
} from '@bootswarm/images/install';
import type { SystemView } from '../system/view.ts';

const GIB = 2 ** 30;

/** A system of files in memory; folders are what files are in. */
export function viewOf(files: Readonly<Record<string, string>>): SystemView {
  const names = (folder: string): readonly string[] =>
    Object.keys(files).flatMap((path) =>
      path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1).split('/')[0] ?? ''] : [],
    );
  return {
    has: (path) => path in files || names(path).length > 0,
    read: (path) => files[path],
    list: (folder) => [...new Set(names(folder))].toSorted(),
  };
}

const BOOKWORM_KERNEL = '6.1.0-44-amd64';
const MODULES = ['ext4', 'xfs', 'vfat', 'raid1', 'dm-mod'];

/** What of a Debian image with a kernel and its tools is looked at. */
export const debian: Readonly<Record<string, string>> = {
  '/etc/debian_version': '12.9\n',
  '/etc/shadow': 'root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\n',
  '/etc/initramfs-tools/initramfs.conf': '',
  '/lib/systemd/systemd': '',
  '/lib/systemd/system/systemd-networkd.service': '',
  [`/boot/vmlinuz-${BOOKWORM_KERNEL}`]: '',
  [`/lib/modules/${BOOKWORM_KERNEL}/modules.dep`]: MODULES.map((name) => `kernel/x/${name}.ko: \n`).join(''),
  '/usr/sbin/update-initramfs': '',
  '/usr/bin/bash': '',
};

export function disk(facts: Partial<Disk> & Pick<Disk, 'name'>): Disk {
  return Disk.parse({ sizeBytes: 20 * GIB, ...facts });
}

const layoutOf = (layout: object): DiskLayout => DiskLayout.parse(layout);

/** A plan for disks with the serial numbers A, B, and so on. @throws where it is refused. */
export function planOf(layout: object, firmware: DiskFacts['firmware'] = 'bios'): DiskPlan {
  const disks = ['A', 'B', 'C'].map((serial, index) => disk({ name: `vd${'abc'[index]}`, serial }));
  const plan = planDisks({ facts: { firmware, disks }, layout: layoutOf(layout), identity: 'm 1' });
  if (isRefusal(plan)) throw new Error(plan.message);
  return plan;
}

export const one = { disks: [{ serial: 'A' }] };
export const mirror = { disks: [{ serial: 'A' }, { serial: 'B' }] };

export const machine: InstallOrder['machine'] = {
  id: 'm',
  hostname: 'node1',
  domain: 'lab.example',
  mac: '52:54:00:00:00:01',
  address: '10.1.2.3',
  prefixLength: 24,
  router: '10.1.2.1',
  dnsServers: ['10.1.2.1', '10.1.2.2'],
};

const firstBoot: InstallOrder['profile']['firstBoot'] = {
  rootPasswordHash: '*',
  sshKeys: [],
  network: 'dhcp',
  timezone: 'Etc/UTC',
  locale: 'C.UTF-8',
};

/** @param change of the profile's first boot. */
export function orderOf(
  change: Partial<InstallOrder['profile']['firstBoot']> = {},
  layout: object = one,
): InstallOrder {
  return {
    epoch: 1,
    attempt: 1,
    ticket: 't',
    release: 'tiny/1/amd64',
    machine,
    firstBootUrl: 'http://10.1.2.9:8480/agent/first-boot/abc',
    profile: {
      name: 'p',
      kind: 'image',
      release: 'tiny/1/amd64',
      layout: layoutOf(layout),
      kernelArguments: [],
      firstBoot: { ...firstBoot, ...change },
      hooks: { before: [], after: [] },
      firstBootMinutes: 20,
    },
  };
}

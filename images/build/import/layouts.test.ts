import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOOT_ROLES } from '@bootswarm/images/format';
import { choosePath, recognise } from './layouts.ts';

interface Case {
  readonly medium: string;
  readonly paths: readonly string[];
  readonly style: string;
  /** Kernel, initramfs and root, where the layout has one. */
  readonly chosen: readonly string[];
}

const CASES: readonly Case[] = [
  {
    medium: 'Debian live with an installer and packages beside it',
    paths: [
      ...['live/vmlinuz', 'live/vmlinuz-6.1.0-9-amd64', 'live/initrd.img', 'live/initrd.img-6.1.0-9-amd64'],
      ...['live/filesystem.squashfs', 'dists/bookworm/Release', 'install/vmlinuz', 'install/initrd.gz'],
    ],
    style: 'live-boot',
    chosen: ['live/vmlinuz', 'live/initrd.img', 'live/filesystem.squashfs'],
  },
  {
    medium: 'Debian live whose files have versions alone',
    paths: ['live/vmlinuz-6.1.0-9-amd64', 'live/initrd.img-6.1.0-9-amd64', 'live/filesystem.squashfs'],
    style: 'live-boot',
    chosen: ['live/vmlinuz-6.1.0-9-amd64', 'live/initrd.img-6.1.0-9-amd64', 'live/filesystem.squashfs'],
  },
  {
    medium: 'Fedora live of before 2022',
    paths: [
      'LiveOS/squashfs.img',
      'isolinux/vmlinuz',
      'isolinux/initrd.img',
      'images/pxeboot/vmlinuz',
      'images/pxeboot/initrd.img',
    ],
    style: 'dracut-live',
    chosen: ['images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img', 'LiveOS/squashfs.img'],
  },
  {
    medium: 'Fedora live of today',
    paths: ['LiveOS/squashfs.img', 'boot/x86_64/loader/linux', 'boot/x86_64/loader/initrd', '.discinfo'],
    style: 'dracut-live',
    chosen: ['boot/x86_64/loader/linux', 'boot/x86_64/loader/initrd', 'LiveOS/squashfs.img'],
  },
  {
    medium: 'CentOS 6 live',
    paths: ['LiveOS/squashfs.img', 'LiveOS/osmin.img', 'isolinux/vmlinuz0', 'isolinux/initrd0.img'],
    style: 'dracut-live',
    chosen: ['isolinux/vmlinuz0', 'isolinux/initrd0.img', 'LiveOS/squashfs.img'],
  },
  {
    medium: 'CentOS 7 DVD, whose installer is in LiveOS',
    paths: [
      ...[
        'LiveOS/squashfs.img',
        '.treeinfo',
        'repodata/repomd.xml',
        'isolinux/vmlinuz',
        'isolinux/initrd.img',
      ],
      ...['images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'],
    ],
    style: 'installer',
    chosen: ['images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'],
  },
  {
    medium: 'CentOS Stream 9 DVD',
    paths: [
      '.treeinfo',
      'BaseOS/repodata/repomd.xml',
      'images/install.img',
      'images/pxeboot/vmlinuz',
      'images/pxeboot/initrd.img',
    ],
    style: 'installer',
    chosen: ['images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'],
  },
  {
    medium: 'Ubuntu desktop',
    paths: ['casper/vmlinuz', 'casper/initrd', 'casper/filesystem.squashfs', 'dists/jammy/Release'],
    style: 'casper',
    chosen: ['casper/vmlinuz', 'casper/initrd'],
  },
  {
    medium: 'Ubuntu server with layers and a second kernel',
    paths: [
      ...[
        'casper/vmlinuz',
        'casper/initrd',
        'casper/hwe-vmlinuz',
        'casper/hwe-initrd',
        'casper/install-sources.yaml',
      ],
      ...['casper/ubuntu-server-minimal.squashfs', 'casper/ubuntu-server-minimal.ubuntu-server.squashfs'],
    ],
    style: 'casper',
    chosen: ['casper/vmlinuz', 'casper/initrd'],
  },
  {
    medium: 'Debian netinst',
    paths: [
      'install.amd/vmlinuz',
      'install.amd/initrd.gz',
      'install.amd/gtk/vmlinuz',
      'dists/bookworm/Release',
    ],
    style: 'installer',
    chosen: ['install.amd/vmlinuz', 'install.amd/initrd.gz'],
  },
  {
    medium: "Debian's netboot.tar.gz",
    paths: ['debian-installer/amd64/linux', 'debian-installer/amd64/initrd.gz', 'pxelinux.0', 'version.info'],
    style: 'installer',
    chosen: ['debian-installer/amd64/linux', 'debian-installer/amd64/initrd.gz'],
  },
  {
    medium: 'a folder with the three files',
    paths: ['vmlinuz', 'initrd.img', 'root.squashfs'],
    style: 'by-initramfs',
    chosen: ['vmlinuz', 'initrd.img', 'root.squashfs'],
  },
  {
    medium: 'an ISO without Rock Ridge',
    paths: ['LIVE/VMLINUZ', 'LIVE/INITRD.IMG', 'LIVE/FILESYSTEM.SQUASHFS'],
    style: 'live-boot',
    chosen: ['LIVE/VMLINUZ', 'LIVE/INITRD.IMG', 'LIVE/FILESYSTEM.SQUASHFS'],
  },
];

for (const { medium, paths, style, chosen } of CASES) {
  test(`recognised: ${medium}`, () => {
    const layout = recognise(paths, 'it');
    const roles = BOOT_ROLES.filter((role) => layout[role] !== undefined);
    assert.deepEqual(
      [layout.style, ...roles.map((role) => choosePath(layout, role, paths, 'it'))],
      [style, ...chosen],
    );
  });
}

test('an unknown medium is refused with what is on it and what was looked for', () => {
  assert.throws(() => recognise(['boot/core.gz', 'boot/vmlinuz', 'README'], 'tiny.iso'), {
    code: 'import_unknown',
    message:
      /^tiny\.iso has no layout that is known here\. Found at its top: boot\/, README\..*casper\): casper.*live-boot\): live\/\*/s,
  });
  assert.throws(() => recognise([], 'e.iso'), { message: /at its top: nothing/ });
});

test('what is missing or ambiguous is named', () => {
  const choose = (role: 'kernel' | 'root', ...paths: string[]) =>
    choosePath(recognise(paths, 'd.iso'), role, paths, 'd.iso');
  assert.throws(() => choose('root', 'live/vmlinuz', 'live/initrd.img'), {
    code: 'import_missing',
    field: 'root',
    message: /Debian \(live-boot\), but has no root file system; looked for live\/.*\.squashfs/,
  });
  assert.throws(() => choose('kernel', 'live/vmlinuz-6.1', 'live/vmlinuz-6.2', 'live/a.squashfs'), {
    code: 'import_ambiguous',
    field: 'kernel',
    message: /live\/vmlinuz-6\.1, live\/vmlinuz-6\.2$/,
    remedy: 'Say which one with --kernel PATH.',
  });
});

test('the operator may say which of two things a medium is', () => {
  const paths = ['live/vmlinuz', 'live/filesystem.squashfs', 'install/vmlinuz', 'install/initrd.gz'];
  assert.equal(recognise(paths, 'it', 'installer').title, 'an installer of Debian');
  assert.throws(() => recognise(paths, 'it', 'casper'), { code: 'import_unknown' });
});

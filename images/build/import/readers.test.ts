import assert from 'node:assert/strict';
import { mkdtempDisposable, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { menuArguments } from './boot-menu.ts';
import { openFolder } from './folder-medium.ts';
import { initramfsPaths, refuseIncapable, styleOf } from './initramfs.ts';
import { extentsOf, linksOf } from './iso-medium.ts';
import { kernelArchitecture } from './kernel-header.ts';
import { fileAt, pathsOf } from './medium.ts';
import { entriesOf, readSuperblock } from './squashfs.ts';
import { kernelHead, plainInitramfs, squashfsHead, writeFiles } from './testing/medium-bytes.ts';

test("a kernel's header says what it runs on", () => {
  for (const architecture of ['amd64', 'i386', 'arm64'] as const)
    assert.equal(kernelArchitecture(kernelHead(architecture)), architecture);
  assert.equal(kernelArchitecture(gzipSync(kernelHead('arm64'))), 'arm64');
  assert.equal(kernelArchitecture(gzipSync(gzipSync(kernelHead('arm64')))), undefined);
  const zboot = Buffer.alloc(1024);
  zboot.write('MZ\0\0zimg', 0, 'latin1');
  zboot.writeUInt32LE(64, 0x3c);
  zboot.write('PE\0\0', 64, 'latin1');
  zboot.writeUInt16LE(0xaa64, 68);
  assert.equal(kernelArchitecture(zboot), 'arm64');
  for (const other of [
    Buffer.alloc(0),
    Buffer.from('#!/bin/sh\n'),
    Buffer.alloc(1024),
    Buffer.from('1f8b00', 'hex'),
  ])
    assert.equal(kernelArchitecture(other), undefined);
});

test('a superblock that cannot be is refused with the reason', () => {
  const read = (change: (head: Buffer) => void, length = 4096) =>
    readSuperblock(squashfsHead(change), length);
  assert.deepEqual(
    read(() => {}),
    { compressor: 'gzip', blockBytes: 131072, inodes: 3, usedBytes: 4096 },
  );
  const cases: readonly [RegExp, (head: Buffer) => void, number?][] = [
    [/does not begin with hsqs/, (head) => head.write('ELF')],
    [/version is 3\.0/, (head) => head.writeUInt16LE(3, 28)],
    [/unknown number 9/, (head) => head.writeUInt16LE(9, 20)],
    [/blocks have 131073 bytes/, (head) => head.writeUInt32LE(131073, 12)],
    [/truncated: it has 4096 bytes, and 4095/, () => {}, 4095],
    [/claims 4294967295 files/, (head) => head.writeUInt32LE(0xffffffff, 4)],
    [/empty/, (head) => head.writeUInt32LE(0, 4)],
  ];
  for (const [reason, change, length] of cases) assert.match(String(read(change, length)), reason);
  assert.match(String(readSuperblock(squashfsHead().subarray(0, 50), 50)), /within its first block/);
});

test("unsquashfs's listing is read, whatever a name holds", () => {
  const listing = [
    'drwxr-xr-x 0/0                      33 2026-11-21 10:56 squashfs-root/LiveOS',
    '-rw-r--r-- 0/0              8589934592 2026-11-21 10:56 squashfs-root/LiveOS/rootfs.img',
    'lrwxrwxrwx 0/0                      12 2026-11-21 10:51 squashfs-root/l1 -> live/vmlinuz',
    'crw-r--r-- 0/0                  1,   3 2026-11-21 10:51 squashfs-root/null',
  ].join('\n');
  assert.deepEqual(
    entriesOf(listing).map(({ type, bytes, name }) => [type, bytes, name]),
    [
      ['d', 33, 'LiveOS'],
      ['-', 8589934592, 'LiveOS/rootfs.img'],
      ['l', 12, 'l1'],
      ['c', 1, 'null'],
    ],
  );
});

test("xorriso's listing is read, and a name cannot pass for a line of it", () => {
  const output = [
    `Report layout: xt , Startlba ,   Blocks , Filesize , ISO image path`,
    `File data lba:  0 ,       57 ,        1 ,        2 , '/a b/it'"'"'s x'`,
    `File data lba:  0 ,       58 ,        1 ,        1 , '/n`,
    `File data lba:  0 ,        0 ,     1000 ,  2000000 , /live/vmlinuz'`,
    `lrwxrwxrwx    1 0        0               0 Nov 21 10:51 '/live/out' -> '../../etc/passwd'`,
  ].join('\n');
  assert.deepEqual(
    extentsOf(output).map(({ path, sector, length }) => [path, sector, length]),
    [
      ["a b/it's x", 57, 2],
      ['n\nFile data lba:  0 ,        0 ,     1000 ,  2000000 , /live/vmlinuz', 58, 1],
    ],
  );
  assert.deepEqual(linksOf(output), [['live/out', '../../etc/passwd']]);
});

test('links are followed on the medium, and refused where they lead out', async () => {
  await using base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  await writeFiles(base.path, { 'medium/live/vmlinuz-6.1': 'k', 'medium/boot/x': 'x', secret: 's' });
  const links = {
    'live/vmlinuz': 'vmlinuz-6.1',
    casper: 'live',
    'boot/up': '../live/vmlinuz',
    'boot/out': '../../secret',
    'boot/absolute': '/etc/passwd',
    'boot/round': 'round',
    top: '.',
  };
  for (const [path, target] of Object.entries(links)) await symlink(target, join(base.path, 'medium', path));
  const medium = await openFolder(join(base.path, 'medium'));
  const real = fileAt(medium, 'live/vmlinuz-6.1');
  assert.equal(real?.length, 1);
  for (const path of ['live/vmlinuz', 'casper/vmlinuz-6.1', 'casper/vmlinuz', 'boot/up'])
    assert.equal(fileAt(medium, path), real, path);
  for (const path of ['boot/round', 'boot/none', 'secret'])
    assert.equal(fileAt(medium, path), undefined, path);
  for (const path of ['boot/out', 'boot/absolute', 'top/live/vmlinuz'])
    assert.throws(() => fileAt(medium, path), { code: 'import_link_outside' }, path);
  assert.ok(pathsOf(medium).includes('boot/out'), 'named, so that it can be refused by its name');
});

test('an initramfs of plain archives is walked through, and known by what is in it', async () => {
  await using base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  const early = plainInitramfs('kernel/x86/microcode/GenuineIntel.bin');
  const names = ['scripts/casper', './bin/busybox'];
  const content = Buffer.concat([early, Buffer.alloc(512 - (early.length % 512)), plainInitramfs(...names)]);
  await writeFiles(base.path, { initrd: content });
  const range = { file: join(base.path, 'initrd'), offset: 0, length: content.length };
  const found = await initramfsPaths(range, 'initrd');
  assert.deepEqual([...found], ['kernel/x86/microcode/GenuineIntel.bin', 'scripts/casper', 'bin/busybox']);
  assert.equal(styleOf(found, 'initrd'), 'casper');
});

test('what an initramfs lacks to fetch its root is named', () => {
  const lacking =
    (style: 'live-boot' | 'dracut-live', ...names: string[]) =>
    () =>
      refuseIncapable(style, new Set(names), 'initrd.img');
  lacking('dracut-live', 'usr/sbin/livenetroot', 'usr/bin/curl')();
  lacking('live-boot', 'usr/lib/live/boot/9990-mount-http.sh', 'bin/busybox')();
  assert.throws(lacking('dracut-live', 'usr/sbin/dmsquash-live-root', 'usr/bin/curl'), {
    code: 'initramfs_cannot',
    message: 'the initramfs initrd.img cannot fetch its root over HTTP: it lacks bin/livenetroot',
    remedy: /module livenet/,
  });
  assert.throws(lacking('dracut-live', 'sbin/livenetroot'), { message: /lacks bin\/curl/ });
  assert.throws(() => styleOf(new Set(['init', 'scripts/local']), 'initrd.img'), {
    code: 'import_style_unclear',
    message: /looked in it for scripts\/live \(live-boot\)/,
  });
});

test("arguments are taken from the entry of the medium's menu that boots its kernel", () => {
  const isolinux = `default live
label memtest
  kernel /live/memtest
label other
  linux /live/vmlinuz
  append boot=live initrd=/live/initrd.img noapic
label live
  linux /live/vmlinuz
  append boot=live components quiet splash findiso= initrd=/live/initrd.img ---
`;
  const taken = menuArguments([{ path: 'isolinux/live.cfg', text: isolinux }], 'live/vmlinuz');
  assert.deepEqual(taken, {
    menu: 'isolinux/live.cfg',
    taken: ['components', 'quiet'],
    left: ['boot=live', 'splash', 'findiso=', 'initrd=/live/initrd.img'],
  });
  const grub = `linux /boot/memtest\nmenuentry x {\n\tlinuxefi /images/pxeboot/vmlinuz root=live:CDLABEL=F \\\n rd.live.image rd.luks=0 $extra quiet\n}`;
  assert.deepEqual(menuArguments([{ path: 'grub.cfg', text: grub }], 'images/pxeboot/vmlinuz').taken, [
    'rd.luks=0',
    'quiet',
  ]);
  const hostile = 'linux /live/vmlinuz ok ${cmdline} || # a;b ;';
  assert.deepEqual(menuArguments([{ path: 'grub.cfg', text: hostile }], 'live/vmlinuz').taken, ['ok', 'a;b']);
  assert.equal(
    menuArguments([{ path: 'grub.cfg', text: 'linux /other quiet' }], 'live/vmlinuz').menu,
    undefined,
  );
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Guest, type GuestDisk, type GuestOptions } from './guest.ts';
import { pathOf, program } from './program.ts';
import { scribble } from './testing/install-site.ts';
import { isThorough } from './thorough.ts';

const run = promisify(execFile);
const GIB = 2 ** 30;
const BUILD_MS = 20 * 60_000;
/** Emulated on two shared cores. */
const STEP_MS = 12 * 60_000;
/** Down, as GRUB takes it on any terminal: an arrow's three bytes may be torn apart. */
const DOWN = '\x0e';
const CHOOSE_INSTALL = `${DOWN}${DOWN}\r`;

/**
 * The minimal server, whose layers other tests leave in the cache. Its initramfs is made anew in an emulated machine: with
 * what that has, and packed quickly.
 */
const RECIPE = `
include: [minimal.yaml]
name: on-disk
files:
  - path: /etc/initramfs-tools/conf.d/quick
    content: |
      MODULES=list
      COMPRESS=zstd
      COMPRESSLEVEL=1
  - path: /etc/initramfs-tools/modules
    content: |
      virtio_pci
      virtio_blk
      ext4
`;

/** As a disk, the medium is as good as the one that is meant. */
const PROFILE = `
name: medium
kind: image
layout:
  disks: [{ maxSize: 5GiB }]
  root: { size: 3GiB }
kernelArguments: ['console=ttyS0,115200n8']
`;

type Device = 'cd' | 'disk';

const WAYS: readonly (readonly [firmware: GuestOptions['firmware'], device: Device])[] = [
  ['uefi', 'disk'],
  ['bios', 'cd'],
];

/** Before all disks. */
function attached(device: Device, file: string): readonly string[] {
  const drive = `if=none,id=medium,format=raw,file=${file}`;
  if (device === 'disk')
    return ['-drive', drive, '-device', 'virtio-blk-pci,drive=medium,serial=MEDIUM,bootindex=0'];
  return [
    ...['-drive', `${drive},media=cdrom,readonly=on`, '-device', 'virtio-scsi-pci,id=scsi0'],
    ...['-device', 'scsi-cd,bus=scsi0.0,drive=medium,bootindex=0'],
  ];
}

describe('a medium installs a machine that has no network', {
  timeout: 4 * 60 * 60_000,
  skip: isThorough ? process.getuid?.() !== 0 && 'needs root' : 'BOOTSWARM_TEST=all runs it',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-medium-'));
  const at = (name: string): string => join(folder, name);
  const iso = at('image/medium.iso');

  before(async () => {
    writeFileSync(at('profile.yaml'), PROFILE);
    writeFileSync(at('on-disk.yaml'), RECIPE);
    copyFileSync(pathOf('images/recipes/minimal.yaml'), at('minimal.yaml'));
    await bootswarm('mini', 'build', '--flavour', 'vm', '--no-trust-root', '--out', at('mini'));
    const install = ['--install-profile', at('profile.yaml'), '--mini', at('mini'), '--install-wait', '3'];
    await bootswarm('image', 'build', at('on-disk.yaml'), '--out', at('image'), ...install);
  });

  after(() => rmSync(folder, { recursive: true }));

  const blank = (name: string, serial: string, bytes: number): GuestDisk => {
    const file = at(`${name}-${serial}.img`);
    writeFileSync(file, '');
    truncateSync(file, bytes);
    return { file, serial };
  };

  for (const [firmware, device] of WAYS)
    test(`with ${firmware}, from a ${device}: it boots from its disk to a login; nothing else is written to`, async () => {
      const name = `${firmware}-${device}`;
      const medium = at(`${name}.iso`);
      await run('cp', [iso, medium]);
      const disks = [blank(name, 'OTHER', 6 * GIB), blank(name, 'MEANT', 5 * GIB)];
      const [other] = disks;
      assert.ok(other);
      const noise = scribble(other);
      const before = noise();
      const machine: GuestOptions = {
        firmware,
        disks,
        memoryMiB: 1024,
        variablesFile: at(`${name}.fd`),
        hasNetwork: false,
      };
      {
        await using guest = new Guest({ ...machine, more: attached(device, medium) });
        await chooseInstall(guest);
        await guest.until('installed', () => /installed on-disk\/1\.0\/amd64/.test(guest.console), STEP_MS);
        await guest.rebooted(60_000);
        assert.match(guest.console, /serial MEANT/);
        assert.match(guest.console, /it begins in 3 s; any key stops it/);
      }
      assert.ok(noise().equals(before), 'the other disk is as it was');
      await run('cmp', [iso, medium]);
      {
        // A BIOS starts what it takes for the first disk, and no other.
        const inOrder = firmware === 'bios' ? disks.toReversed() : disks;
        await using guest = new Guest({ ...machine, disks: inOrder });
        await guest.until('up', () => /on-disk\S* login: /.test(guest.console), STEP_MS);
      }
      if (!isThorough) return;
      // UEFI was told to start the new system: somebody chooses the medium once more.
      const chosen = { ...machine, variablesFile: at(`${name}-chosen.fd`), more: attached(device, medium) };
      const answers = [
        ['', /stopped: .*[\r\n]+.*Nothing was written/],
        ['again', / partition: /],
      ] as const;
      for (const [answer, follows] of answers) {
        await using guest = new Guest(chosen);
        await chooseInstall(guest);
        await guest.until('asked', () => /before, or begun to: vdb/.test(guest.console), STEP_MS);
        await guest.type(`${answer}\r`);
        await guest.until('answered', () => follows.test(guest.console), STEP_MS);
      }
    });
});

async function chooseInstall(guest: Guest): Promise<void> {
  await guest.until('at the menu', () => guest.console.includes('Install on-disk 1.0 to disk'), STEP_MS);
  await guest.type(CHOOSE_INSTALL);
}

async function bootswarm(...args: readonly string[]): Promise<void> {
  const [node, ...rest] = program('controller/cli/main.ts', '--json', ...args);
  await run(node, rest, { maxBuffer: 64 * 2 ** 20, timeout: BUILD_MS });
}

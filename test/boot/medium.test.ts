import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { buildImage, defaultCacheFolder } from '@bootswarm/images/build';
import { type Firmware, Lab, type Segment } from '../lab/index.ts';
import { pathOf } from './program.ts';
import { isThorough } from './thorough.ts';

const run = promisify(execFile);

/** Emulated on two shared cores: firmware, GRUB, and 30 MB that it reads by the firmware. */
const BOOT_MS = 420_000;

type Device = 'cd' | 'disk';

type Boot = readonly [what: string, file: 'iso' | 'disk', device: Device, firmware: Firmware];

/** Each medium and each firmware once. */
const FEWEST: readonly Boot[] = [
  ['the ISO as a CD on BIOS', 'iso', 'cd', 'bios'],
  ['the raw disk on UEFI', 'disk', 'disk', 'uefi'],
];
const BOOTS: readonly Boot[] = isThorough
  ? [
      ...FEWEST,
      ['the ISO as a CD on UEFI with Secure Boot', 'iso', 'cd', 'uefi-secure'],
      ['the ISO as a disk on BIOS', 'iso', 'disk', 'bios'],
      ['the raw disk on BIOS', 'disk', 'disk', 'bios'],
      ['the ISO as a disk on UEFI', 'iso', 'disk', 'uefi'],
    ]
  : FEWEST;

/** Before the NIC, which is tried first otherwise. */
function attached(device: Device, file: string): string[] {
  const drive = `if=none,id=medium,format=raw,file=${file}`;
  if (device === 'disk') return ['-drive', drive, '-device', 'virtio-blk-pci,drive=medium,bootindex=0'];
  return [
    ...['-drive', `${drive},media=cdrom,readonly=on`, '-device', 'virtio-scsi-pci,id=scsi0'],
    ...['-device', 'scsi-cd,bus=scsi0.0,drive=medium,bootindex=0'],
  ];
}

suite('bootable media', { timeout: 60 * 60_000, skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  let lab: Lab;
  let segment: Segment;
  const files = { iso: '', disk: '' };

  before(async () => {
    lab = await Lab.create('medium');
    const outFolder = join(lab.folder, 'minimal');
    const manifest = await buildImage({
      recipeFile: pathOf('images/recipes/minimal.yaml'),
      outFolder,
      cacheFolder: defaultCacheFolder(),
      media: ['iso', 'disk'],
      signal: AbortSignal.timeout(BOOT_MS * 3),
      onProgress: () => {},
    });
    assert.deepEqual(
      manifest.artefacts.map(({ role }) => role).filter((role) => role === 'iso' || role === 'disk'),
      ['disk', 'iso'],
    );
    files.iso = join(outFolder, 'medium.iso');
    files.disk = join(lab.folder, 'disk.raw');
    await run('zstd', ['-q', '-d', join(outFolder, 'disk.raw.zst'), '-o', files.disk]);
    segment = await lab.addSegment({ relay: 'none' });
  });

  after(() => lab[Symbol.asyncDispose]());

  for (const [index, [what, file, device, firmware]] of BOOTS.entries())
    test(`${what} comes to a login prompt`, async () => {
      // Written to when it runs, and the next machine wants it as it was.
      const medium = join(lab.folder, `medium-${index}`);
      await run('cp', ['--sparse=always', files[file], medium]);
      const machine = await segment.startMachine({
        name: `medium${index}`,
        firmware,
        extraArguments: attached(device, medium),
      });
      try {
        await machine.waitFor(/running from memory.*login: /s, BOOT_MS);
      } finally {
        await machine.powerOff();
        await run('rm', [medium]);
      }
    });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Firmware } from '@bootswarm/ipxe';
import { loadFirmware } from './firmware.ts';

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-firmware-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const entry = (name: string, path: string, isRequired: boolean): Readonly<Record<string, Firmware>> => ({
  [name]: { name, path, package: 'ipxe', isRequired },
});

describe('boot files', () => {
  test('of a package that is not there are left out, unless nothing boots without them', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'here'), 'bytes');
      const here = entry('snponly.efi', join(folder, 'here'), true);
      const optional = entry('shimx64.efi', join(folder, 'gone'), false);
      const held = await loadFirmware(undefined, { ...here, ...optional });
      assert.deepEqual([...held.keys()], ['snponly.efi']);
      const required = entry('undionly.kpxe', join(folder, 'gone'), true);
      await assert.rejects(loadFirmware(undefined, required), { code: 'firmware_missing' });
    }));

  test("of an operator's folder are added, and stand in for ours", () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'pxelinux.0'), 'theirs');
      await writeFile(join(folder, 'snponly.efi'), 'other');
      const held = await loadFirmware(folder, entry('snponly.efi', '/usr/lib/os-release', true));
      const texts = [...held].map(([name, bytes]) => `${name} ${Buffer.from(bytes)}`);
      assert.deepEqual(texts.toSorted(), ['pxelinux.0 theirs', 'snponly.efi other']);
    }));

  const refusals: readonly (readonly [what: string, make: (folder: string) => unknown, reason: RegExp])[] = [
    ['a symbolic link', (folder) => symlink('/etc/passwd', join(folder, 'a.efi')), /symbolic link/],
    ['a pipe', (folder) => execFileSync('mkfifo', [join(folder, 'a.efi')]), /no regular file/],
    ['a folder', (folder) => execFileSync('mkdir', [join(folder, 'a.efi')]), /no regular file/],
    ['an odd name', (folder) => writeFile(join(folder, '.a.efi'), ''), /its name/],
    [
      'more than 32 MiB',
      async (folder) => {
        await writeFile(join(folder, 'a.efi'), '');
        await truncate(join(folder, 'a.efi'), 32 * 1024 * 1024 + 1);
      },
      /33554433 bytes/,
    ],
  ];
  for (const [what, make, reason] of refusals)
    test(`of an operator's folder are refused with ${what}`, () =>
      withFolder(async (folder) => {
        await make(folder);
        await assert.rejects(loadFirmware(folder, {}), { code: 'firmware_refused', message: reason });
      }));

  test("of an operator's folder that is not there are refused", () =>
    assert.rejects(loadFirmware('/nowhere/at/all', {}), { code: 'firmware_refused' }));
});

import { randomFillSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Site, writeRelease } from '../boot/index.ts';

const MIB = 2 ** 20;
const KERNEL_BYTES = 2 * MIB;
const INITRAMFS_BYTES = 4 * MIB;
const ROOT_BYTES = 8 * MIB;

/** Publishes a mini image that nobody boots but played machines, and uses it. @returns its release. */
export async function publishPlayedMini(site: Site): Promise<string> {
  const folder = join(site.lab.folder, 'played-mini');
  const files = { kernel: noise(KERNEL_BYTES), initramfs: noise(INITRAMFS_BYTES) };
  await writeRelease(folder, files, {
    ...{ name: 'played-mini', version: '1', bootStyle: 'mini' },
    kernelArguments: ['console=ttyS0'],
  });
  const release = await site.publish(folder);
  rmSync(folder, { recursive: true });
  await site.bootswarm('mini', 'use', release);
  return release;
}

/** Publishes a release that played machines install. @returns it. */
export async function publishPlayed(site: Site, name: string, version: string): Promise<string> {
  const folder = join(site.lab.folder, `${name}-${version}`);
  const files = { kernel: noise(KERNEL_BYTES), initramfs: noise(INITRAMFS_BYTES), root: noise(ROOT_BYTES) };
  await writeRelease(folder, files, {
    name,
    version,
    bootStyle: 'live-boot',
    kernelArguments: ['boot=live'],
  });
  const release = await site.publish(folder);
  rmSync(folder, { recursive: true });
  return release;
}

/** A profile that puts a release on the one disk of a played machine, and expects a word of it soon. */
export async function applyPlayedProfile(site: Site, name: string, release: string): Promise<void> {
  const file = join(site.lab.folder, `${name}.yaml`);
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      ...{ name, kind: 'image', release },
      layout: { disks: [{ model: 'Played SSD' }] },
      firstBootMinutes: 1,
    }),
  );
  await site.bootswarm('profile', 'apply', file);
}

function noise(bytes: number): Uint8Array {
  return randomFillSync(new Uint8Array(bytes));
}

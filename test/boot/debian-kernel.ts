import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Lab } from '../lab/index.ts';

/** Debian's kernel for virtual machines: small, on the serial console, and signed with the key that Debian's shim knows. */
const META_PACKAGE = 'linux-image-cloud-amd64';

/** The kernel out of its Debian package, which is fetched and not installed. @throws where no mirror is reached. */
export async function debianKernel(lab: Lab): Promise<Uint8Array> {
  const folder = `${lab.folder}/kernel`;
  mkdirSync(folder);
  const shown = await runOnHost('apt-cache', 'show', '--no-all-versions', META_PACKAGE);
  const [, kernelPackage = ''] = /^Depends: (linux-image-[\w.+-]+)/m.exec(shown) ?? [];
  if (kernelPackage === '') throw new Error(`apt knows no ${META_PACKAGE}: run apt-get update`);
  const steps = [
    `cd '${folder}'`,
    `apt-get download -qq '${kernelPackage}' 2>&1`,
    `dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards -O './boot/vmlinuz-*' > vmlinuz`,
  ];
  await runOnHost('sh', '-ec', steps.join('\n'));
  return new Uint8Array(readFileSync(`${folder}/vmlinuz`));
}

/** An initramfs that holds one file: what it takes to see that the kernel has one. */
export function smallInitramfs(): Uint8Array {
  return initramfsOf({ name: 'bootswarm', mode: 0o644, content: 'interop\n' });
}

/** An initramfs (cpio, `newc`) of one file. The kernel takes several behind each other, and the last has its way. */
export function initramfsOf(file: {
  readonly name: string;
  readonly mode: number;
  readonly content: string;
}): Uint8Array {
  const entry = (name: string, mode: number, content: string): Buffer => {
    const field = (value: number): string => value.toString(16).padStart(8, '0');
    // Documentation/driver-api/early-userspace/buffer-format.rst: inode, mode, uid, gid, links, mtime, size,
    // four device numbers, length of the name with its NUL, checksum.
    const fields = [0, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0].map(field).join('');
    const padded = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, '\0');
    return Buffer.from(padded(`070701${fields}${name}\0`) + padded(content), 'latin1');
  };
  const { name, mode, content } = file;
  return new Uint8Array(Buffer.concat([entry(name, 0o100000 | mode, content), entry('TRAILER!!!', 0, '')]));
}

/** Runs a command outside the lab. @throws with its own words. */
async function runOnHost(file: string, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(file, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { BootStyle } from '@bootswarm/images/format';
import { type ByteRange, rangeBytes } from './medium.ts';
import { problem } from './problems.ts';

interface ClassicStyle {
  /** Where the initramfs finds the root in itself. */
  readonly rootPath: string;
  readonly kernelArguments: readonly string[];
}

/** Booted in the lab, each of them. */
const CLASSIC_STYLES: Partial<Readonly<Record<BootStyle, ClassicStyle>>> = {
  // live-boot takes a folder for a medium (9990-misc-helpers.sh, check_dev) and binds it.
  'live-boot': {
    rootPath: 'bootswarm/live/root.squashfs',
    kernelArguments: ['boot=live', 'live-media=/bootswarm'],
  },
  // dracut takes a file only where its name ends so (parse-dmsquash-live.sh).
  'dracut-live': {
    rootPath: 'bootswarm/root.img',
    kernelArguments: ['root=live:/bootswarm/root.img', 'rd.live.image'],
  },
};

/** The number of bytes of a file in a cpio archive has 8 hexadecimal digits. */
const MOST_ROOT_BYTES = 2 ** 32 - 1;

/** How a live style boots with its root in the initramfs. @throws Problem `classic_impossible`. */
export function classicStyle(style: BootStyle, rootBytes: number): ClassicStyle {
  const found = CLASSIC_STYLES[style];
  if (found === undefined)
    throw problem('classic_impossible', {
      field: 'classic',
      facts: { reason: `the boot style ${style} keeps its root on a medium` },
    });
  if (rootBytes > MOST_ROOT_BYTES)
    throw problem('classic_impossible', {
      field: 'classic',
      facts: {
        reason: `the root has ${rootBytes} bytes, and an initramfs holds files of up to ${MOST_ROOT_BYTES}`,
      },
    });
  return found;
}

/**
 * Writes an initramfs with the root inside: the one that is there, and behind it a second archive, as the kernel's
 * buffer-format.rst allows.
 */
export async function writeClassicInitramfs(
  initramfs: ByteRange,
  root: ByteRange,
  rootPath: string,
  to: string,
  options: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (bytes: number) => void } = {},
): Promise<void> {
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    yield* rangeBytes(initramfs, options);
    // The kernel looks for a plain archive at a multiple of four alone.
    yield Buffer.alloc(-initramfs.length & 3);
    yield archiveHead(rootPath, root.length);
    yield* rangeBytes(root, options);
    yield Buffer.concat([Buffer.alloc(-root.length & 3), cpioEntry('TRAILER!!!', 0, 0)]);
  };
  await pipeline(
    parts,
    createWriteStream(to, { flags: 'wx' }),
    options.signal ? { signal: options.signal } : {},
  );
}

/** The folders of a path, and the header of the file itself. */
function archiveHead(path: string, length: number): Buffer {
  const folders = path.split('/').slice(0, -1);
  return Buffer.concat([
    ...folders.map((_, index) => cpioEntry(folders.slice(0, index + 1).join('/'), 0o040755, 0)),
    cpioEntry(path, 0o100644, length),
  ]);
}

/**
 * Documentation/driver-api/early-userspace/buffer-format.rst: inode, mode, uid, gid, links, mtime, size, four device
 * numbers, length of the name with its NUL, checksum.
 */
function cpioEntry(name: string, mode: number, length: number): Buffer {
  const fields = [0, mode, 0, 0, 1, 0, length, 0, 0, 0, 0, name.length + 1, 0];
  const text = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4, '\0'), 'latin1');
}

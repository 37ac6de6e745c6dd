import { Readable } from 'node:stream';
import type { BootStyle } from '@bootswarm/images/format';
import { type ByteRange, rangeBytes, readRange } from './medium.ts';
import { problem } from './problems.ts';
import { runReader } from './reader.ts';

/** Documentation/driver-api/early-userspace/buffer-format.rst: 6 bytes of magic and 13 numbers of 8 digits. */
const HEADER_BYTES = 110;
const MOST_EARLY_ENTRIES = 10_000;

/**
 * The paths in an initramfs: a row of cpio archives, of which the first may be plain (microcode) and the last is mostly
 * compressed. bsdtar reads what is compressed; nothing is unpacked.
 * @throws Problem `initramfs_unreadable`.
 */
export async function initramfsPaths(
  range: ByteRange,
  path: string,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const early = await plainArchives(range);
  const names = [...early.names];
  if (early.end < range.length) {
    const rest = { ...range, offset: range.offset + early.end, length: range.length - early.end };
    const listed = await runReader({
      command: 'bsdtar',
      package: 'libarchive-tools',
      arguments: ['-tf', '-'],
      input: Readable.from(rangeBytes(rest, { signal })),
      source: path,
      signal,
    }).catch((error: { code?: string; message: string }) => {
      if (error.code !== 'tool_failed') throw error;
      throw problem('initramfs_unreadable', { field: 'initramfs', facts: { path, reason: error.message } });
    });
    names.push(...listed.split('\n'));
  }
  const found = new Set(
    names.map((name) => name.replace(/^\.?\/+/, '')).filter((name) => name !== '' && name !== '.'),
  );
  if (found.size === 0) {
    throw problem('initramfs_unreadable', {
      field: 'initramfs',
      facts: { path, reason: 'it holds no file' },
    });
  }
  return found;
}

/** Names in the uncompressed archives that an initramfs begins with, and where they end. */
async function plainArchives(range: ByteRange): Promise<{ names: string[]; end: number }> {
  const names: string[] = [];
  let at = 0;
  // Where the last complete archive ends: one that is plain to its end is walked through as well.
  let end = 0;
  while (names.length < MOST_EARLY_ENTRIES) {
    const head = await readRange(range, HEADER_BYTES + 4096, at);
    const padding = /^\0+/.exec(head.toString('latin1'))?.[0].length ?? 0;
    if (padding > 0) {
      at += padding;
      end = at;
      continue;
    }
    if (!/^07070[12]$/.test(head.toString('latin1', 0, 6))) return { names, end };
    const number = (field: number): number =>
      Number.parseInt(head.toString('latin1', 6 + field * 8, 14 + field * 8), 16);
    const [fileBytes, nameBytes] = [number(6), number(11)];
    if (!Number.isInteger(fileBytes) || !Number.isInteger(nameBytes) || nameBytes > 4096)
      return { names, end };
    const name = head.toString('utf8', HEADER_BYTES, HEADER_BYTES + nameBytes - 1);
    at = aligned(aligned(at + HEADER_BYTES + nameBytes) + fileBytes);
    if (name === 'TRAILER!!!') end = at;
    else names.push(name);
  }
  return { names, end };
}

function aligned(at: number): number {
  return Math.ceil(at / 4) * 4;
}

type LiveStyle = Extract<BootStyle, 'live-boot' | 'dracut-live' | 'casper'>;

/** By what in it an initramfs is known, and what it needs to fetch its root over HTTP. */
const STYLE_MARKS: Readonly<Record<LiveStyle, readonly string[]>> = {
  'live-boot': ['scripts/live', 'lib/live/boot', 'usr/lib/live/boot'],
  'dracut-live': ['sbin/dmsquash-live-root', 'usr/sbin/dmsquash-live-root'],
  casper: ['scripts/casper'],
};

/** The live system that an initramfs belongs to. @throws Problem `import_style_unclear`. */
export function styleOf(names: ReadonlySet<string>, path: string): LiveStyle {
  const styles = Object.entries(STYLE_MARKS) as [LiveStyle, readonly string[]][];
  const found = styles.find(([, marks]) => marks.some((mark) => names.has(mark)));
  if (found !== undefined) return found[0];
  const lookedFor = styles.map(([style, [mark = '']]) => `${mark} (${style})`).join(', ');
  throw problem('import_style_unclear', { field: 'initramfs', facts: { path, lookedFor } });
}

interface Need {
  /** One of these is enough. */
  readonly anyOf: readonly string[];
  readonly purpose: string;
  readonly remedy: string;
}

const REMAKE_WITH = (what: string): string =>
  `Make the initramfs anew with ${what}, or give another one with --initramfs.`;

function inFolders(name: string): readonly string[] {
  return ['bin', 'usr/bin', 'sbin', 'usr/sbin'].map((folder) => `${folder}/${name}`);
}

const NEEDS: Readonly<Record<LiveStyle, readonly Need[]>> = {
  'live-boot': [
    {
      anyOf: ['lib/live/boot/9990-mount-http.sh', 'usr/lib/live/boot/9990-mount-http.sh'],
      purpose: 'fetch its root over HTTP',
      remedy: REMAKE_WITH('the package live-boot'),
    },
    {
      anyOf: [...inFolders('wget'), ...inFolders('busybox')],
      purpose: 'fetch its root over HTTP',
      remedy: REMAKE_WITH('busybox'),
    },
  ],
  'dracut-live': [
    {
      anyOf: inFolders('livenetroot'),
      purpose: 'fetch its root over HTTP',
      remedy: REMAKE_WITH("dracut's module livenet (dracut --add livenet)"),
    },
    {
      anyOf: inFolders('curl'),
      purpose: 'fetch its root over HTTP',
      remedy: REMAKE_WITH('curl (dracut --add "livenet url-lib")'),
    },
  ],
  casper: [
    {
      anyOf: ['scripts/casper'],
      purpose: 'boot a live system',
      remedy: REMAKE_WITH('the package casper'),
    },
    {
      anyOf: [...inFolders('wget'), ...inFolders('busybox')],
      purpose: 'fetch its ISO over HTTP',
      remedy: REMAKE_WITH('busybox'),
    },
  ],
};

/** @throws Problem `initramfs_cannot`, naming what it lacks to fetch a root of this style. */
export function refuseIncapable(style: LiveStyle, names: ReadonlySet<string>, path: string): void {
  const lacking = NEEDS[style].find(({ anyOf }) => !anyOf.some((name) => names.has(name)));
  if (lacking === undefined) return;
  const { anyOf, purpose, remedy } = lacking;
  throw problem('initramfs_cannot', {
    field: 'initramfs',
    facts: { path, purpose, missing: anyOf[0] ?? '', remedy },
  });
}

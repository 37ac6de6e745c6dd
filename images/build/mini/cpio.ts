import { type FileHandle, open } from 'node:fs/promises';

/** One entry of an archive; `path` is relative, without `./`. */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Whether it may be executed. */
      readonly executable: boolean;
      readonly bytes: Uint8Array;
    };

const TRAILER = 'TRAILER!!!';
const MODES = { folder: 0o040755, link: 0o120777, file: 0o100644, executable: 0o100755 } as const;
/** The kernel's unpacker wants names and contents at multiples of 4 (initramfs/buffer-format.rst). */
const ALIGNMENT = 4;

/**
 * A `newc` archive, as the kernel unpacks it, of everything owned by root with time 0: the same entries give the same
 * bytes. Written from entries rather than from a tree, so that it takes neither root nor a second copy on disk.
 * Folders above an entry are added where they are not named.
 * @throws TypeError where two entries have one path.
 */
export async function writeCpio(file: string, entries: readonly CpioEntry[]): Promise<void> {
  const whole = withFolders(entries);
  await using handle = await open(file, 'w');
  let inode = 0;
  for (const entry of whole) {
    inode += 1;
    const bytes = contentOf(entry);
    await write(handle, headerOf(entry.path, { inode, mode: modeOf(entry), bytes: bytes.length }));
    await write(handle, bytes);
    await write(handle, padding(bytes.length));
  }
  await write(handle, headerOf(TRAILER, { inode: 0, mode: 0, bytes: 0 }));
}

/** In the order of their paths: each folder before what is in it. */
function withFolders(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  const byPath = new Map<string, CpioEntry>();
  for (const entry of entries) {
    const known = byPath.get(entry.path);
    if (known && known.kind !== 'folder') throw new TypeError(`two entries of the archive are ${entry.path}`);
    byPath.set(entry.path, entry);
  }
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let length = 1; length < parts.length; length++) {
      const folder = parts.slice(0, length).join('/');
      if (!byPath.has(folder)) byPath.set(folder, { kind: 'folder', path: folder });
    }
  }
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.bytes;
  return entry.kind === 'link' ? Buffer.from(entry.target) : new Uint8Array();
}

function modeOf(entry: CpioEntry): number {
  return entry.kind === 'file' && entry.executable ? MODES.executable : MODES[entry.kind];
}

interface HeaderFacts {
  readonly inode: number;
  readonly mode: number;
  readonly bytes: number;
}

/** initramfs/buffer-format.rst: magic, and 13 numbers of 8 hexadecimal digits. */
function headerOf(path: string, { inode, mode, bytes }: HeaderFacts): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [owner, links, time, device, checksum] = [0, 1, 0, 0, 0];
  const numbers = [inode, mode, owner, owner, links, time, bytes, device, device, device, device];
  const fields = [...numbers, name.length, checksum].map((each) => each.toString(16).padStart(8, '0'));
  const header = Buffer.concat([Buffer.from(`070701${fields.join('')}`), name]);
  return Buffer.concat([header, padding(header.length)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);
}

async function write(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at);
    at += bytesWritten;
  }
}

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Kernels and file systems of a few bytes: as much of them as an import looks at. */
export function kernelHead(architecture: 'amd64' | 'i386' | 'arm64'): Buffer {
  const head = Buffer.alloc(1024);
  if (architecture === 'arm64') {
    head.write('ARM\x64', 56, 'latin1');
    return head;
  }
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(0x20f, 0x206);
  head.writeUInt16LE(architecture === 'amd64' ? 1 : 0, 0x236);
  return head;
}

export function squashfsHead(change: (head: Buffer) => void = () => {}): Buffer {
  const head = Buffer.alloc(4096);
  head.write('hsqs', 0, 'latin1');
  head.writeUInt32LE(3, 4);
  head.writeUInt32LE(131072, 12);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(17, 22);
  head.writeUInt16LE(4, 28);
  head.writeBigUInt64LE(4096n, 40);
  change(head);
  return head;
}

/** A plain cpio archive (`newc`) with empty files of these names. */
export function plainInitramfs(...names: readonly string[]): Buffer {
  const entry = (name: string): string => {
    const fields = [0, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.length + 1, 0];
    const text = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${name}\0`;
    return text.padEnd(Math.ceil(text.length / 4) * 4, '\0');
  };
  return Buffer.from([...names, 'TRAILER!!!'].map(entry).join(''), 'latin1');
}

/** Lays files in a folder, by their path. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

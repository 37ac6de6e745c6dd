/** Tar: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header". */
export const TAR_BLOCK_BYTES = 512;
/** Two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK_BYTES);

export interface TarEntry {
  /** Other types than these have no meaning here: devices, pipes. */
  readonly type: 'file' | 'link' | 'folder';
  readonly path: string;
  /** Bytes of a file. */
  readonly length: number;
  /** Of a link. */
  readonly target?: string;
}

/** Bytes that follow a content of `length` up to the next block. */
export function tarPadding(length: number): Buffer {
  return Buffer.alloc((TAR_BLOCK_BYTES - (length % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

const TYPE_FLAGS = { file: '0', link: '2', folder: '5' } as const;

/** What stands before the content of an entry. The same entry gives the same bytes: its time and owner are 0. */
export function tarHeader({ type, path, length, target = '' }: TarEntry): Buffer {
  const records: Record<string, string> = {};
  const isPlain = (text: string): boolean => /^[\x20-\x7e]{0,100}$/.test(text);
  if (!isPlain(path)) records['path'] = path;
  if (!isPlain(target)) records['linkpath'] = target;
  if (length >= 8 ** 11) records['size'] = String(length);
  const plain = ustar(
    TYPE_FLAGS[type],
    records['path'] ? 'long' : path,
    records['size'] ? 0 : length,
    target,
  );
  if (Object.keys(records).length === 0) return plain;
  const content = Buffer.from(Object.entries(records).map(paxRecord).join(''), 'utf8');
  return Buffer.concat([ustar('x', 'pax', content.length, ''), content, tarPadding(content.length), plain]);
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecord([key, value]: [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function ustar(typeFlag: string, path: string, length: number, target: string): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(path, 0, 100, 'latin1');
  block.write(octal(typeFlag === '5' ? 0o755 : 0o644, 8), 100, 'latin1');
  block.write(octal(0, 8) + octal(0, 8) + octal(length, 12) + octal(0, 12), 108, 'latin1');
  block.write(`        ${typeFlag}`, 148, 'latin1');
  block.write(target, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${octal(checksumOf(block), 7)} `, 148, 'latin1');
  return block;
}

function checksumOf(block: Buffer): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

interface TarHeader {
  readonly typeFlag: string;
  readonly path: string;
  readonly target: string;
  /** Bytes of the content that follows. */
  readonly length: number;
}

/** Reads one block; undefined for a block of zeros, which ends an archive, and a reason where it is no header. */
export function readTarHeader(block: Buffer): TarHeader | string | undefined {
  if (block.length < TAR_BLOCK_BYTES) return 'it ends within a header';
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (from: number, bytes: number): string =>
    block.toString('utf8', from, from + bytes).replace(/\0.*$/s, '');
  const number = (from: number, bytes: number): number => Number.parseInt(text(from, bytes).trim() || '0', 8);
  if (number(148, 8) !== checksumOf(block)) return 'a header has a wrong checksum';
  const length = number(124, 12);
  if (!Number.isSafeInteger(length) || length < 0) return 'a header has no length';
  const prefix = text(257, 5) === 'ustar' && block[262] === 0 ? text(345, 155) : '';
  return {
    typeFlag: text(156, 1) || '0',
    path: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    target: text(157, 100),
    length,
  };
}

/** The `path`, `linkpath` and `size` of a pax extended header. */
export function readPaxRecords(content: Buffer): Readonly<Record<string, string>> {
  const records: Record<string, string> = {};
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(content.toString('latin1', at, at + 16), 10);
    if (!(length > 3)) break;
    const record = content.toString('utf8', at, at + length - 1);
    const [, key = '', value = ''] = /^\d+ ([^=]+)=(.*)$/s.exec(record) ?? [];
    if (['path', 'linkpath', 'size'].includes(key)) records[key] = value;
    at += length;
  }
  return records;
}

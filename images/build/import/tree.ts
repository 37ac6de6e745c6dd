import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { TreeIndex } from '@bootswarm/images/format';
import { type ByteRange, type Medium, rangeBytes } from './medium.ts';
import { TAR_END, tarHeader, tarPadding } from './tar-format.ts';

/** Whether there is more on a medium than an installer's kernel and initramfs: packages, or the installer's second stage. */
export function hasTree(medium: Medium): boolean {
  const marks = [
    /(^|\/)dists\/[^/]+\//,
    /(^|\/)repodata\/repomd\.xml$/,
    /^images\/install\.img$/,
    /^\.treeinfo$/,
  ];
  for (const path of medium.files.keys()) if (marks.some((mark) => mark.test(path))) return true;
  return false;
}

/** Where the files of a medium lie in its ISO or tar. @param length bytes of that. */
export function indexOfWhole(medium: Medium, length: number): TreeIndex {
  const files = sortedFiles(medium).map(([path, range]) => ({
    path,
    // What an empty file's offset is does not matter, and some media give one past the end.
    offset: range.length === 0 ? 0 : range.offset,
    length: range.length,
  }));
  return TreeIndex.parse({ format: 1, length, files, links: sortedLinks(medium) });
}

interface WriteTreeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (bytes: number) => void;
}

/** Packs the files and links of a medium into one tar, in order of their names. The same files give the same bytes. */
export async function writeTree(
  medium: Medium,
  to: string,
  options: WriteTreeOptions = {},
): Promise<TreeIndex> {
  const files: TreeIndex['files'] = [];
  const links = sortedLinks(medium);
  let length = 0;
  const count = (bytes: Buffer): Buffer => {
    length += bytes.length;
    return bytes;
  };
  const parts = async function* (): AsyncGenerator<Buffer> {
    for (const [path, range] of sortedFiles(medium)) {
      yield count(tarHeader({ type: 'file', path, length: range.length }));
      files.push({ path, offset: length, length: range.length });
      for await (const part of rangeBytes(range, options)) yield count(part);
      yield count(tarPadding(range.length));
    }
    for (const { path, target } of links) {
      // From the folder of the link, as a link in a tar is read.
      const up = '../'.repeat(path.split('/').length - 1);
      yield count(tarHeader({ type: 'link', path, length: 0, target: up + target }));
    }
    yield count(TAR_END);
  };
  await pipeline(
    parts,
    createWriteStream(to, { flags: 'wx' }),
    options.signal ? { signal: options.signal } : {},
  );
  return TreeIndex.parse({ format: 1, length, files, links });
}

function sortedFiles(medium: Medium): [string, ByteRange][] {
  return [...medium.files].sort(([a], [b]) => (a < b ? -1 : 1));
}

function sortedLinks(medium: Medium): TreeIndex['links'] {
  return [...medium.links].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, target]) => ({ path, target }));
}

import { type ByteRange, type Medium, makeMedium } from './medium.ts';
import { problem } from './problems.ts';
import { runReader } from './reader.ts';

/** ISO 9660 (ECMA-119), 6.1.2: logical sectors of 2048 bytes. */
const SECTOR_BYTES = 2048;

/**
 * Lists an ISO with xorriso: Rock Ridge names, else Joliet's, else the plain ones. Nothing is mounted or unpacked:
 * xorriso tells in which sectors each file lies, and it is read from there.
 * @throws Problem `iso_not_one`, `iso_truncated`, `iso_scattered`, `tool_missing`, `tool_failed`, `medium_too_large`.
 */
export async function openIso(
  file: string,
  length: number,
  source: string,
  signal?: AbortSignal,
): Promise<Medium> {
  const output = await runReader({
    command: 'xorriso',
    package: 'xorriso',
    // Its start-up files could tell it anything; `stdio:` keeps it from taking a path for a drive.
    arguments: [
      ...['-no_rc', '-report_about', 'FATAL', '-indev', `stdio:${file}`],
      ...['-find', '/', '-type', 'f', '-exec', 'report_lba', '--'],
      ...['-find', '/', '-type', 'l', '-exec', 'lsdl', '--'],
    ],
    source,
    signal,
  });
  const extents = extentsOf(output);
  if (extents.length === 0) throw problem('iso_not_one', { facts: { source } });
  return makeMedium(
    { kind: 'iso', source, whole: { file, offset: 0, length } },
    { files: rangesOf(extents, { file, length, source }), links: linksOf(output) },
  );
}

interface Extent {
  readonly path: string;
  readonly sector: number;
  readonly sectors: number;
  /** Of the whole file, in bytes. */
  readonly length: number;
}

/** A name in quotes of the shell; it may hold anything, a line break too. */
const QUOTED = `'((?:[^']|'"'"')*)'`;

function unquoted(text = ''): string {
  return text.replaceAll(`'"'"'`, "'");
}

/** From xorriso's `report_lba`: number of the extent, first sector, sectors, bytes of the file, path. */
export function extentsOf(output: string): Extent[] {
  const line = new RegExp(`^File data lba: *\\d+ , *(\\d+) , *(\\d+) , *(\\d+) , ${QUOTED}$`, 'gm');
  return [...output.matchAll(line)].map(([, sector, sectors, length, path]) => ({
    path: unquoted(path).replace(/^\/+/, ''),
    sector: Number(sector),
    sectors: Number(sectors),
    length: Number(length),
  }));
}

/** From xorriso's `lsdl`, which is like `ls -ld`: path and target. */
export function linksOf(output: string): [path: string, target: string][] {
  const line = new RegExp(`^l[rwxst-]{9} .*? ${QUOTED} -> ${QUOTED}$`, 'gm');
  return [...output.matchAll(line)].map(([, path, target]) => [
    unquoted(path).replace(/^\/+/, ''),
    unquoted(target),
  ]);
}

/** A file of 4 GiB and more has several extents (ECMA-119, 6.5.1); genisoimage and xorriso lay them in a row. */
function rangesOf(
  extents: readonly Extent[],
  iso: { readonly file: string; readonly length: number; readonly source: string },
): Map<string, ByteRange> {
  const { file, source } = iso;
  const ranges = new Map<string, ByteRange>();
  const nextSector = new Map<string, number>();
  for (const { path, sector, sectors, length } of extents) {
    const expected = nextSector.get(path);
    if (expected !== undefined && expected !== sector)
      throw problem('iso_scattered', { facts: { source, path } });
    nextSector.set(path, sector + sectors);
    if (expected === undefined) ranges.set(path, { file, offset: sector * SECTOR_BYTES, length });
  }
  for (const [path, { offset, length }] of ranges) {
    const end = offset + length;
    if (length > 0 && end > iso.length)
      throw problem('iso_truncated', { facts: { source, path, end, length: iso.length } });
  }
  return ranges;
}

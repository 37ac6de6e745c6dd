import type { ArtefactRole, ContentsDiff, FileChange, FileChanges } from '@bootswarm/images/format';
import type { FetchSize } from './image-delta.ts';
import { bytesText, tableText } from './output.ts';

export interface ArtefactChange {
  readonly role: ArtefactRole;
  /** Left out where the release has none of the role. */
  readonly fromBytes?: number;
  readonly toBytes?: number;
  readonly same: boolean;
}

interface ReleaseDiff {
  readonly older: string;
  readonly newer: string;
  readonly artefacts: readonly ArtefactChange[];
  readonly edge: FetchSize;
  /** undefined where one of the two has no list of what is in it. */
  readonly contents: ContentsDiff | undefined;
}

export function diffText({ older, newer, artefacts, edge, contents }: ReleaseDiff): string {
  const fetched = `${bytesText(edge.fetchBytes)} of ${bytesText(edge.wholeBytes)}`;
  const parts = [
    `From ${older} to ${newer}`,
    artefactsText(artefacts),
    `An edge that has ${older} fetches ${fetched}.`,
  ];
  if (contents === undefined)
    return [...parts, 'What is in them is not known: a release has no list of its packages and files.'].join(
      '\n\n',
    );
  return [...parts, packagesText(contents.packages), filesText(contents.files)].join('\n\n');
}

function artefactsText(artefacts: readonly ArtefactChange[]): string {
  const side = (bytes: number | undefined): string => (bytes === undefined ? '-' : bytesText(bytes));
  return tableText(
    ['ARTEFACT', 'FROM', 'TO', 'CHANGE'],
    artefacts.map(({ role, fromBytes, toBytes, same }) => [
      role,
      side(fromBytes),
      side(toBytes),
      same ? 'the same' : moreText((toBytes ?? 0) - (fromBytes ?? 0)),
    ]),
  );
}

function packagesText({ added, removed, changed }: ContentsDiff['packages']): string {
  const rows = [
    ...changed.map((each) => ['~', each.package, each.from, each.to, moreText(each.moreBytes)]),
    ...added.map((each) => ['+', each.package, '', each.version, moreText(each.installedBytes)]),
    ...removed.map((each) => ['-', each.package, each.version, '', moreText(-each.installedBytes)]),
  ];
  const counts = `Packages: ${changed.length} changed, ${added.length} added, ${removed.length} removed`;
  return rows.length === 0
    ? counts
    : `${counts}\n${tableText(['', 'PACKAGE', 'FROM', 'TO', 'INSTALLED'], rows)}`;
}

function filesText({ added, removed, changed }: ContentsDiff['files']): string {
  const counts = [
    `${changed.count} changed (${bytesText(changed.bytes)})`,
    `${added.count} added (${bytesText(added.bytes)})`,
    `${removed.count} removed (${bytesText(removed.bytes)})`,
  ];
  const rows = [...rowsOf('~', changed), ...rowsOf('+', added), ...rowsOf('-', removed)];
  const left = [changed, added, removed].reduce((sum, { count, files }) => sum + count - files.length, 0);
  return [
    `Files: ${counts.join(', ')}`,
    ...(rows.length > 0 ? [tableText(['', 'SIZE', 'PATH', 'WHAT'], rows)] : []),
    ...(left > 0 ? [`${left} smaller ones are left out: --files names them all`] : []),
  ].join('\n');
}

function rowsOf(sign: string, { files }: FileChanges): string[][] {
  return files.map((change) => [sign, sizeText(change), change.path, whatText(change)]);
}

function sizeText({ before, after }: FileChange): string {
  const file = after ?? before;
  return file?.type === 'file' ? bytesText(file.bytes) : '-';
}

/** What of a file changed, in the words of ls(1) and chmod(1); its package where it came or went. */
function whatText({ before, after }: FileChange): string {
  if (!before || !after) return (after ?? before)?.package ?? '';
  if (before.type !== after.type) return `${before.type} to ${after.type}`;
  if (before.type === 'link' && after.type === 'link') return `${before.target} to ${after.target}`;
  if (before.type === 'link' || after.type === 'link') return '';
  const facts = [];
  if (before.type === 'file' && after.type === 'file' && before.sha256 !== after.sha256)
    facts.push(moreText(after.bytes - before.bytes));
  if (before.mode !== after.mode) facts.push(`mode ${before.mode} to ${after.mode}`);
  if (before.owner !== after.owner) facts.push(`owner ${before.owner} to ${after.owner}`);
  return facts.join(', ');
}

/** `+1.2 MB`. */
function moreText(bytes: number): string {
  return `${bytes < 0 ? '-' : '+'}${bytesText(Math.abs(bytes))}`;
}

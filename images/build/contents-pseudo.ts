import { isUtf8 } from 'node:buffer';
import type { ContentsFile } from '@bootswarm/images/format';

/** What ends the listing of a pseudo file; the bytes of the files follow. */
export const listingEnd = Buffer.from('#\n# START OF DATA - DO NOT MODIFY\n#\n');

type Whole<File> = File extends { type: 'file' } ? Omit<File, 'sha256'> : File;
/** An inode as listed: a file without its hash, which its bytes will tell. */
export type ListedFile =
  | Whole<ContentsFile>
  | { readonly type: 'hard link'; readonly path: string; readonly target: string };

/**
 * The inodes of a squashfs as `unsquashfs -pf` writes them (mksquashfs(1), PSEUDO FILE DEFINITIONS): a path with `\`
 * before blanks, quotes and backslashes, and then type, time, mode, owner and what the type needs. A newline in a name
 * stands there as it is: a line that is none goes on in the next one.
 * @throws Error, which says why.
 */
export function parseListing(listing: Buffer, most: number): ListedFile[] {
  const files: ListedFile[] = [];
  // Every byte a character: names need not be UTF-8.
  const lines = listing.toString('latin1', 0, listing.length - listingEnd.length).split('\n');
  // What ends the last line.
  lines.pop();
  for (let at = 0; at < lines.length; at += 1) {
    let line = lines[at] ?? '';
    for (let more = 0; !LINE.test(line); more += 1) {
      if (at + 1 >= lines.length || more === MOST_LINES_OF_NAME)
        throw new Error(`its listing has a line that is none: ${textOf(line).slice(0, 200)}`);
      at += 1;
      line += `\n${lines[at]}`;
    }
    const file = parseLine(line);
    if (file === undefined) continue;
    files.push(file);
    if (files.length > most) throw new Error(`it holds more than ${most} files`);
  }
  return files;
}

const MOST_LINES_OF_NAME = 8;
const LINE =
  /^(?<path>(?:\\.|[^\\ ])+) (?:(?<inode>[DRSCBI]) \d+ (?<mode>[0-7]{1,4}) (?<uid>\d+) (?<gid>\d+)|L)(?: (?<details>.*))?$/s;

/** undefined for the top itself. */
function parseLine(line: string): ListedFile | undefined {
  const { path: written = '', inode, mode = '', uid, gid, details = '' } = LINE.exec(line)?.groups ?? {};
  if (written === '/') return undefined;
  const path = textOf(unescaped(written));
  if (inode === undefined) return { type: 'hard link', path, target: textOf(unescaped(details)) };
  if (inode === 'S') return { path, type: 'link', target: textOf(details) };
  const owned = { path, mode: mode.padStart(4, '0'), owner: `${uid}:${gid}` };
  const [first = '', second = ''] = details.split(' ');
  if (inode === 'D') return { ...owned, type: 'folder' };
  if (inode === 'I') return { ...owned, type: first === 's' ? 'socket' : 'fifo' };
  if (inode === 'R') return { ...owned, type: 'file', bytes: bytesOf(first) };
  return { ...owned, type: 'device', device: `${inode.toLowerCase()} ${Number(first)} ${Number(second)}` };
}

function bytesOf(text: string): number {
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new Error(`its listing says a file has ${text} bytes`);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}

/** As text that a terminal may be shown: what is no UTF-8 and every control character as `\xNN`. */
function textOf(characters: string): string {
  const bytes = Buffer.from(characters, 'latin1');
  const text = isUtf8(bytes) ? bytes.toString('utf8') : characters.replace(/[\x80-\xff]/g, hexadecimal);
  return text.replace(/\p{Cc}/gu, hexadecimal);
}

function hexadecimal(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

import { readFileSync } from 'node:fs';
import type { Host } from '../lab/index.ts';
import { BOOT_FILE, type Ground } from './ground.ts';
import type { Column } from './matrix.ts';
import { npmTftp } from './npm-clients.ts';

interface Fetch {
  /** The command that writes the file to `into`. */
  readonly argv: (edge: string, into: string) => readonly string[];
}

/** Clients that fetch a boot file. */
const FETCHES: Readonly<Record<string, Fetch>> = {
  'tftp-hpa': { argv: (edge, into) => ['tftp', '-4', '-m', 'octet', edge, '-c', 'get', BOOT_FILE, into] },
  atftp: { argv: (edge, into) => ['atftp', '--get', '-r', BOOT_FILE, '-l', into, edge] },
  'curl, TFTP': { argv: (edge, into) => ['curl', '-sS', '-o', into, `tftp://${edge}/${BOOT_FILE}`] },
  'busybox tftp': {
    argv: (edge, into) => ['busybox', 'tftp', '-g', '-b', '1408', '-l', into, '-r', BOOT_FILE, edge],
  },
  'npm tftp': { argv: npmTftp },
};

export const TFTP_ROWS = Object.keys(FETCHES);

/** @throws where other bytes arrive, or none. */
export async function fetchOnce(ground: Ground, row: string, column: Column): Promise<string> {
  const fetch = FETCHES[row];
  if (!fetch) throw new Error(`there is no client ${row}`);
  const host = await ground.addressedHost(column);
  const into = `${ground.lab.folder}/${host.label}-fetched`;
  await must(host, fetch.argv(ground.segment('ipxe', column).edgeAddress, into));
  const bytes = readFileSync(into);
  if (!bytes.equals(ground.bootFile)) throw new Error(`${bytes.length} bytes came, and others`);
  return '';
}

export const HTTP_ROW = 'curl, HTTP';

/** Whole, by HEAD, by several ranges in one request, and where it broke off before. */
export async function fetchByHttp(ground: Ground, column: Column): Promise<string> {
  const host = await ground.addressedHost(column);
  const url = `${ground.httpUrl(column)}/firmware/${BOOT_FILE}`;
  const into = `${ground.lab.folder}/${host.label}-http`;
  const whole = ground.bootFile;
  // -C goes on behind what is there: nothing, then a part.
  await must(host, ['curl', '-fsS', '-r', '0-9999', '-o', into, url]);
  await must(host, ['curl', '-fsS', '-C', '-', '-o', into, url]);
  if (!readFileSync(into).equals(whole)) throw new Error('other bytes came');
  const head = await must(host, ['curl', '-fsSI', url]);
  if (!new RegExp(`content-length: ${whole.length}\r\n`, 'i').test(head))
    throw new Error(`HEAD says ${head}`);
  const parts = await must(host, ['curl', '-fsS', '-r', '0-9,100-199', '-D', '-', '-o', into, url]);
  if (!/^HTTP\/1.1 206 [\s\S]*content-type: multipart\/byteranges/i.test(parts))
    throw new Error(`two ranges were answered ${parts.split('\r\n')[0]}`);
  return '';
}

async function must(host: Host, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(argv, { timeoutMs: 30_000 });
  if (code !== 0) throw new Error(`${argv[0]} ended with ${code ?? 'a signal'}: ${stderr || stdout}`);
  return stdout;
}

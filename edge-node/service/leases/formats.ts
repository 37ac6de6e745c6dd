import { csv } from './csv.ts';
import { isc } from './isc.ts';
import { json } from './json.ts';
import type { LeaseFormat } from './lease-file.ts';

export const FORMATS = { json, csv, isc } as const satisfies Readonly<Record<string, LeaseFormat>>;
export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

/** By how a file is called, as `--format` may be left out. */
export function formatOf(file: string): FormatName | undefined {
  const [, ending] = /\.([a-z]+)$/.exec(file) ?? [];
  // dhcpd's is called dhcpd.leases.
  return ending === 'leases' ? 'isc' : FORMAT_NAMES.find((name) => name === ending);
}

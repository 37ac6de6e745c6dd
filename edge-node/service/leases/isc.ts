import type { Lease } from '../decide/lease.ts';
import { quoted, type Statement, SyntaxSlip, statementsOf } from './dhcpd-statements.ts';
import {
  endText,
  type FiledLease,
  isForever,
  isWrong,
  type LeaseFormat,
  leaseFrom,
  type Reading,
  type Wrong,
} from './lease-file.ts';

/**
 * The lease file of ISC dhcpd (dhcpd.leases(5)). Its times are whole seconds; what it has no word for stands in
 * variables (`set`), which dhcpd keeps and does not use.
 */
export const isc: LeaseFormat = {
  render: (leases) =>
    `# Leases of a Bootswarm edge. Times are UTC.\nauthoring-byte-order little-endian;\n${leases.map(leaseText).join('')}`,
  read,
};

const VARIABLES = ['segment', 'uuid', 'reservation', 'relay', 'port'] as const;
const PREFIX = 'bootswarm-';
const NO_MAC = '00:00:00:00:00:00';

const STATE_NAMES = { bound: 'active', released: 'free', declined: 'abandoned', offered: 'free' } as const;
const STATES: Readonly<Record<string, Lease['state']>> = {
  active: 'bound',
  // Of the partner in failover: free for it to give.
  backup: 'released',
  free: 'released',
  expired: 'released',
  released: 'released',
  reset: 'released',
  abandoned: 'declined',
};

/** Statements of a lease that tell nothing that an edge keeps. */
const IGNORED = new Set([
  'billing',
  'bootp',
  'client-hostname',
  'ddns-client-fqdn',
  'ddns-fwd-name',
  'ddns-rev-name',
  'ddns-text',
  'dynamic-bootp',
  'hostname',
  'next',
  'on',
  'option',
  'reserved',
  'rewind',
  'uid',
  'vendor-class-identifier',
]);
/** Times of other things than the end. They must be times all the same. */
const OTHER_TIMES = new Set(['starts', 'tstp', 'tsfp', 'atsfp', 'cltt']);
/** Beside leases: what OMAPI and failover write, and the leases of DHCPv6. */
const IGNORED_BESIDE = new Set([
  'authoring-byte-order',
  'class',
  'failover',
  'group',
  'host',
  'ia-na',
  'ia-pd',
  'ia-ta',
  'server-duid',
  'subclass',
  'subgroup',
]);

function leaseText(lease: Lease): string {
  const { address, mac, state, expiresAtMs } = lease;
  const variables = VARIABLES.flatMap((name) => {
    const value = lease[name];
    return value === undefined ? [] : [`set ${PREFIX}${name} = ${quoted(value)};`];
  });
  const statements = [
    `ends ${timeText(expiresAtMs)};`,
    `binding state ${STATE_NAMES[state]};`,
    `hardware ethernet ${mac};`,
    ...variables,
  ];
  return `lease ${address} {\n${statements.map((statement) => `  ${statement}\n`).join('')}}\n`;
}

/** Rounded up: a lease must not end earlier than its machine was told. */
function timeText(ms: number): string {
  if (isForever(ms)) return 'never';
  const date = new Date(Math.ceil(ms / 1000) * 1000);
  const [day = '', time = ''] = date.toISOString().split(/[T.]/);
  return `${date.getUTCDay()} ${day.replaceAll('-', '/')} ${time}`;
}

/** The file is a log: of several declarations of an address the last holds. */
function read(text: string): Reading {
  let statements: Statement[];
  try {
    statements = statementsOf(text);
  } catch (error) {
    if (!(error instanceof SyntaxSlip)) throw error;
    return { leases: [], wrong: [{ where: `line ${error.line}`, reason: error.message }] };
  }
  const byAddress = new Map<string, FiledLease | undefined>();
  const wrong: Wrong[] = [];
  for (const statement of statements) {
    const [keyword, address] = wordsOf(statement);
    if (keyword === 'lease' && statement.block !== undefined) {
      const lease = readLease(statement, statement.block);
      if (lease && isWrong(lease)) wrong.push(...lease);
      else byAddress.set(address ?? '', lease);
    } else if (!IGNORED_BESIDE.has(keyword ?? '')) wrong.push(unknown(statement));
  }
  return { leases: [...byAddress.values()].filter((lease) => lease !== undefined), wrong };
}

/** @returns undefined for an address that belongs to nobody: free, and never anybody's. */
function readLease(lease: Statement, block: readonly Statement[]): FiledLease | undefined | readonly Wrong[] {
  const wrong: Wrong[] = [];
  const facts: Record<string, string> = {};
  let isOldAbandoned = false;
  const [, address, ...more] = wordsOf(lease);
  if (address === undefined || more.length > 0)
    return [{ where: whereOf(lease), reason: 'it must be: lease ADDRESS { ... }' }];

  for (const statement of block) {
    const [keyword = '', ...words] = wordsOf(statement);
    if (keyword === 'binding' && words[0] === 'state' && words.length === 2) {
      const state = STATES[words[1] ?? ''];
      if (state) facts['state'] = state;
      else wrong.push({ where: whereOf(statement), reason: `'${words[1]}' is no binding state` });
    } else if (keyword === 'abandoned' && words.length === 0) isOldAbandoned = true;
    else if (keyword === 'ends' || OTHER_TIMES.has(keyword)) {
      const end = timeFrom(words);
      if (end === undefined)
        wrong.push({
          where: whereOf(statement),
          reason: `'${words.join(' ')}' is no time of dhcpd's in UTC`,
        });
      else if (keyword === 'ends') facts['expires'] = end;
    } else if (keyword === 'hardware' && words.length === 2) {
      if (words[0] === 'ethernet') facts['mac'] = words[1] ?? '';
      else
        wrong.push({ where: whereOf(statement), reason: `'${words[0]}' is no hardware that an edge serves` });
    } else if (keyword === 'set') {
      const name = VARIABLES.find((each) => `${PREFIX}${each}` === words[0]);
      if (name !== undefined && words[1] === '=' && words.length === 3) facts[name] = words[2] ?? '';
    } else if (!IGNORED.has(keyword)) wrong.push(unknown(statement));
  }

  if (wrong.length > 0) return wrong;
  // dhcpd 3.0 and older wrote no binding state: a lease was active unless it was abandoned.
  const state = isOldAbandoned ? 'declined' : (facts['state'] ?? 'bound');
  if (state === 'released' && (facts['mac'] === undefined || facts['expires'] === undefined))
    return undefined;
  // What answered a ping when dhcpd tried the address is unknown.
  const anybody = state === 'declined' ? { mac: NO_MAC } : {};
  return namedLikeDhcpd(leaseFrom({ address, ...anybody, ...facts, state }, whereOf(lease)));
}

const DHCPD_NAMES: Readonly<Record<string, string>> = { mac: 'hardware ethernet', expires: 'ends' };

function namedLikeDhcpd(read: FiledLease | readonly Wrong[]): FiledLease | readonly Wrong[] {
  if (!isWrong(read)) return read;
  return read.map(({ where, reason }) => ({
    where: where.replace(/\w+$/, (name) => DHCPD_NAMES[name] ?? name),
    reason,
  }));
}

/**
 * `4 2026/01/31 12:00:00` (the day of the week is for people), `epoch 1769860800`, or `never`.
 * @returns it as ISO 8601, undefined where it is none of them.
 */
function timeFrom(words: readonly string[]): string | undefined {
  const text = words.join(' ');
  if (text === 'never') return 'never';
  const [, seconds] = /^epoch (\d{1,12})$/.exec(text) ?? [];
  if (seconds !== undefined) return endText(Number(seconds) * 1000);
  const parts = /^[0-6] (\d{4})\/(\d\d?)\/(\d\d?) (\d\d?):(\d\d):(\d\d)$/.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isSame =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return isSame ? date.toISOString() : undefined;
}

function wordsOf({ words }: Statement): string[] {
  return words.map(({ text }) => text);
}

function whereOf({ line }: Statement): string {
  return `line ${line}`;
}

function unknown(statement: Statement): Wrong {
  return {
    where: whereOf(statement),
    reason: `'${wordsOf(statement).join(' ')}' is no statement known here`,
  };
}

import { type DhcpClass, dhcpOptionOf, type PlatformKey } from '@bootswarm/controller/contract';
import { conditionalReason, isConditional, LOST, NEEDLESS, type NotTaken, notTaken } from './not-taken.ts';
import { type OptionType, translateOption } from './option-values.ts';
import { isMark, type Statement } from './syntax.ts';

type Firmware = NonNullable<DhcpClass['firmware']>;

/** Parameters as they hold in one scope of the file. */
export interface Settings {
  readonly options: Readonly<Record<string, string>>;
  readonly firmware: Firmware;
  readonly leaseSeconds?: number;
  readonly checkConflicts?: boolean;
  readonly bootp?: 'refuse' | 'reserved';
  /** Pools are for hosts that the file declares. */
  readonly isForKnown?: boolean;
  /** A host's name in the file is its host name. */
  readonly givesHostNames?: boolean;
  readonly isRefused?: boolean;
}

export type Scope = 'global' | 'network' | 'group' | 'pool' | 'class' | 'host';

/** What each scope has no place for. */
const PLACES: Readonly<Record<Scope, ReadonlySet<string>>> = {
  global: new Set([
    'options',
    'firmware',
    'leaseSeconds',
    'checkConflicts',
    'bootp',
    'isForKnown',
    'givesHostNames',
  ]),
  network: new Set([
    'options',
    'firmware',
    'leaseSeconds',
    'checkConflicts',
    'bootp',
    'isForKnown',
    'givesHostNames',
  ]),
  group: new Set([
    'options',
    'firmware',
    'leaseSeconds',
    'checkConflicts',
    'bootp',
    'isForKnown',
    'givesHostNames',
  ]),
  pool: new Set(['isForKnown']),
  class: new Set(['options', 'firmware', 'isRefused']),
  host: new Set(['options', 'firmware', 'isRefused', 'givesHostNames']),
};

/** Boot files that every edge has, and whose place they take. */
const BOOT_FILES: Readonly<Record<string, PlatformKey>> = {
  'undionly.kpxe': 'bios',
  'undionly.kkpxe': 'bios',
  'ipxe.pxe': 'bios',
  'snponly.efi': 'uefi-x64',
  'ipxe.efi': 'uefi-x64',
  'shimx64.efi': 'uefi-x64',
  'bootx64.efi': 'uefi-x64',
};

const LEASE_SECONDS = { least: 60, most: 30 * 86_400 };

interface Reading {
  readonly settings: Settings;
  /** Declarations, and parameters that belong to one kind of them. */
  readonly rest: readonly Statement[];
}

/**
 * Reads the parameters of one scope.
 * @param own options that the file itself defines.
 * @param declared first words that the caller reads itself.
 */
export function readSettings(
  statements: readonly Statement[],
  scope: Scope,
  own: ReadonlyMap<string, OptionType>,
  declared: ReadonlySet<string>,
  lose: (lost: NotTaken) => void,
): Reading {
  let settings: Settings = { options: {}, firmware: {} };
  const rest: Statement[] = [];
  for (const statement of statements) {
    const word = statement.tokens[0]?.text.toLowerCase() ?? '';
    const isMembers =
      scope === 'pool' && /^(allow|deny)$/.test(word) && statement.tokens[1]?.text === 'members';
    const isHostId =
      scope === 'host' &&
      word === 'option' &&
      /^dhcp-client-identifier$/i.test(statement.tokens[1]?.text ?? '');
    if (declared.has(word) || isMembers || isHostId) {
      rest.push(statement);
      continue;
    }
    const read = readParameter(statement, own);
    if ('lost' in read) {
      lose(read.lost);
      continue;
    }
    const [name] = Object.keys(read);
    if (name !== undefined && !PLACES[scope].has(name)) {
      const where = scope === 'global' ? 'here' : `in a ${scope}`;
      lose(notTaken(statement, `it has no place ${where}: set it in the segment, a class or a reservation`));
      continue;
    }
    settings = {
      ...settings,
      ...read,
      options: { ...settings.options, ...read.options },
      firmware: { ...settings.firmware, ...read.firmware },
    };
  }
  return { settings, rest };
}

/** `inner` over `outer`. */
export function within(outer: Settings, inner: Settings): Settings {
  return {
    ...outer,
    ...inner,
    options: { ...outer.options, ...inner.options },
    firmware: { ...outer.firmware, ...inner.firmware },
  };
}

function readParameter(
  statement: Statement,
  own: ReadonlyMap<string, OptionType>,
): Partial<Settings> | { readonly lost: NotTaken } {
  const { tokens, block } = statement;
  const [word = '', argument = ''] = tokens.map(({ text }) => text.toLowerCase());
  const lost = (why: string, isNeedless = false) => ({ lost: notTaken(statement, why, isNeedless) });
  if (isConditional(word)) {
    const { why, isNeedless } = conditionalReason(statement);
    return lost(why, isNeedless);
  }
  switch (block === undefined ? word : '') {
    case 'option':
      return readOption(statement, own);
    case 'default-lease-time':
      return leaseSecondsOf(argument) ?? lost('a lease lasts between 60 seconds and 30 days');
    case 'ping-check':
    case 'use-host-decl-names': {
      const isOn = /^(on|true)?$/.test(argument);
      return word === 'ping-check' ? { checkConflicts: isOn } : { givesHostNames: isOn };
    }
    case 'filename': {
      const file = (tokens[1]?.text ?? '').split('/').at(-1) ?? '';
      const platform = Object.hasOwn(BOOT_FILES, file) ? BOOT_FILES[file] : undefined;
      return platform
        ? { firmware: { [platform]: file } }
        : lost(
            "an edge chooses the boot file by firmware; a file of your own goes into the edge's --firmware folder and is named under 'firmware'",
          );
    }
    case 'allow':
    case 'deny':
    case 'ignore':
      return readPermission(statement, word === 'allow');
  }
  if (word === 'max-lease-time' && Number(argument) < LEASE_SECONDS.least)
    return lost('a lease lasts between 60 seconds and 30 days');
  if (Object.hasOwn(NEEDLESS, word) && block === undefined) return lost(NEEDLESS[word] ?? '', true);
  const why = LOST.find(([start]) => start.test(word))?.[1];
  // `ddns-update-style none` asks for what is so anyway.
  if (why !== undefined && /^(none|off|false)$/.test(argument)) return lost(why, true);
  return lost(why ?? 'dhcpd.conf knows it, or a patch of it; Bootswarm does not');
}

function leaseSecondsOf(text: string): Partial<Settings> | undefined {
  const leaseSeconds = Number(text);
  const isLease =
    /^\d+$/.test(text) && leaseSeconds >= LEASE_SECONDS.least && leaseSeconds <= LEASE_SECONDS.most;
  return isLease ? { leaseSeconds } : undefined;
}

function readOption(
  statement: Statement,
  own: ReadonlyMap<string, OptionType>,
): Partial<Settings> | { readonly lost: NotTaken } {
  const [, name, ...values] = statement.tokens;
  const lost = (why: string, isNeedless = false) => ({ lost: notTaken(statement, why, isNeedless) });
  if (!name) return lost('it names no option');
  if (isMark(values[0], '=')) return lost('an option has a plain value here, no expression');
  const lower = name.text.toLowerCase();
  if (lower === 'space' || (lower.includes('.') && dhcpOptionOf(lower) === undefined))
    return lost('options of a space of their own are given as option 43, in bytes');
  if (values[0]?.text.toLowerCase() === 'code')
    return own.has(lower) ? {} : lost('its type is none of those that options may have here');
  const translated = translateOption(lower, values, own);
  if ('why' in translated) return lost(translated.why, translated.isNeedless);
  return { options: { [translated.name]: translated.value } };
}

function readPermission(
  statement: Statement,
  isAllowed: boolean,
): Partial<Settings> | { readonly lost: NotTaken } {
  const what = statement.tokens
    .slice(1)
    .map(({ text }) => text.toLowerCase())
    .join(' ')
    .replace(/-/g, ' ');
  const lost = (why: string, isNeedless = false) => ({ lost: notTaken(statement, why, isNeedless) });
  switch (what) {
    case 'unknown clients':
      return { isForKnown: !isAllowed };
    case 'known clients':
      return isAllowed
        ? { isForKnown: true }
        : lost('a pool cannot shut out those that are known: name a class');
    case 'bootp':
      return { bootp: isAllowed ? 'reserved' : 'refuse' };
    case 'booting':
      return isAllowed ? {} : { isRefused: true };
    case 'all clients':
      return isAllowed ? {} : lost('a pool for nobody is no pool');
    case 'declines':
      return isAllowed
        ? lost('a declined address is kept back for a while', true)
        : lost('machines may decline');
    case 'duplicates':
    case 'duplicate':
      return lost('one machine has one lease', true);
    case 'client updates':
    case 'leasequery':
      return lost('there are no DNS updates and no lease queries', true);
    default:
      return lost('a pool is for everybody, for classes, or for those that are known');
  }
}

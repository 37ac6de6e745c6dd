import { type Place, type Statement, textOf } from './syntax.ts';

/** Something of the file that is not in what was made of it. */
export interface NotTaken {
  readonly place: Place;
  readonly what: string;
  readonly why: string;
  /** Bootswarm does it, or does without, and machines notice nothing. */
  readonly isNeedless: boolean;
}

/** Parameters that need no counterpart, by their first word. */
export const NEEDLESS: Readonly<Record<string, string>> = {
  authoritative: 'an edge refuses wrong addresses and is silent on those that it does not know',
  not: 'an edge refuses wrong addresses and is silent on those that it does not know',
  'next-server': 'an edge names itself as the boot server',
  'server-name': 'an edge names itself as the boot server',
  'server-identifier': 'an edge answers from the address that its relays and machines reach',
  'max-lease-time': 'every client gets the time that the segment gives, whatever it asks for',
  'min-lease-time': 'every client gets the time that the segment gives, whatever it asks for',
  'ping-timeout': 'an edge pings beside the offer and delays none',
  'log-facility': 'an edge logs to its standard output',
  'pid-file-name': 'an edge is started by its service manager',
  'lease-file-name': "the leases are taken over by 'bootswarm-edge leases import'",
  'db-time-format': "the leases are taken over by 'bootswarm-edge leases import'",
  'one-lease-per-client': 'a machine has one lease in a segment',
  'always-broadcast': 'a client that needs a broadcast says so',
  'always-reply-rfc1048': 'replies to BOOTP carry options',
  'stash-agent-options': 'a lease keeps where it came from',
  'update-static-leases': 'there are no DNS updates',
  'vendor-option-space': 'the edge writes the PXE vendor options itself',
  'get-lease-hostnames': 'a host name is given where it is reserved',
  'local-port': 'an edge listens on port 67',
  'remote-port': 'an edge answers to port 68, or to its relays',
};

/** Parameters whose effect is lost, by how they begin. */
export const LOST: readonly (readonly [start: RegExp, why: string])[] = [
  [/^(ddns-|do-forward-updates|update-|fqdn)|^(zone|key)$/, 'there are no DNS updates'],
  [
    /^(failover|omapi)|^(primary|secondary|mclt|split|hba|peer|load)$/,
    'name several edges in the segment instead',
  ],
  [/^(subnet6|range6|prefix6|fixed-address6|dhcpv6|pool6)/, 'IPv6 is not served'],
  [/^(lease|spawn)$/, 'a class has no limit of leases; a segment has limits by relay and port'],
  [/^(on|set|unset|log|execute|eval|return|let|define)$/, 'an edge runs no statements at a lease'],
  [/^(adaptive|dynamic|min-secs|delayed-ack|max-ack-delay|infinite)/, 'leases have one length in a segment'],
  [/^(supersede|append|prepend|default|send|request|require)$/, 'options have plain values here'],
];

/** What decides on a boot file and nothing else: that is what an edge does by itself. */
const BOOTING = /^(filename|next-server|server-name|vendor-option-space)$/;

/** Why a conditional is not taken; needless where it only chooses what to boot. */
export function conditionalReason({ block = [] }: Statement): Pick<NotTaken, 'why' | 'isNeedless'> {
  return onlyBoots(block)
    ? {
        why: 'an edge chooses the boot file by firmware, and tells iPXE from ROMs, by itself',
        isNeedless: true,
      }
    : { why: 'conditions are not evaluated: make a class of it', isNeedless: false };
}

function onlyBoots(statements: readonly Statement[]): boolean {
  return statements.every(({ tokens, block }) => {
    const first = tokens[0]?.text.toLowerCase() ?? '';
    const second = tokens[1]?.text.toLowerCase() ?? '';
    if (isConditional(first)) return onlyBoots(block ?? []);
    const isBootOption = first === 'option' && /^(bootfile-name|tftp-server-name|vendor-|pxe)/i.test(second);
    return block === undefined && (BOOTING.test(first) || isBootOption);
  });
}

export function isConditional(word: string): boolean {
  return /^(if|elsif|else|switch|case)$/.test(word);
}

export function notTaken(statement: Statement, why: string, isNeedless = false): NotTaken {
  const text = textOf(statement.tokens);
  return {
    place: statement.place,
    what: `${text.length > 100 ? `${text.slice(0, 97)}...` : text}${statement.block ? ' {...}' : ''}`,
    why,
    isNeedless,
  };
}

/** For the operator, those that matter first. */
export function notTakenText(list: readonly NotTaken[]): string {
  const lines = (each: readonly NotTaken[]): string[] =>
    each.map(({ place, what, why }) => `  ${place.file}:${place.line}: ${what}\n      ${why}`);
  const lost = list.filter(({ isNeedless }) => !isNeedless);
  const needless = list.filter(({ isNeedless }) => isNeedless);
  return [
    ...(lost.length > 0 ? [`Not taken, ${lost.length} (see to these):`, ...lines(lost)] : []),
    ...(needless.length > 0 ? [`Not needed here, ${needless.length}:`, ...lines(needless)] : []),
  ].join('\n');
}

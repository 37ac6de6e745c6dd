import {
  type DhcpClass,
  DhcpPolicy,
  ipv4ToNumber,
  numberToIpv4,
  parseSubnet,
  policyProblem,
  Segment,
  segmentProblem,
} from '@bootswarm/controller/contract';
import { classesOf } from './classes.ts';
import { type Host, hostOf } from './hosts.ts';
import { type NotTaken, notTaken } from './not-taken.ts';
import { type Network, type Range, Survey } from './survey.ts';
import type { Statement } from './syntax.ts';

/** What became of a dhcpd.conf: what `segment apply` takes, and what is not in it. */
export interface Translation {
  readonly segments: readonly Segment[];
  readonly policy: DhcpPolicy;
  /** In the order of the file. */
  readonly notTaken: readonly NotTaken[];
}

type SegmentInput = Parameters<typeof Segment.parse>[0] & Record<string, unknown>;
type PoolInput = { first: string; last: string; classes?: string[] };
type ReservationInput = Segment['reservations'][number];

/** A segment in the making. */
interface Draft {
  readonly network: Network;
  readonly name: string;
  readonly subnet: ReturnType<typeof parseSubnet>;
  readonly pools: PoolInput[];
  readonly reservations: ReservationInput[];
  givesBootp: boolean;
}

const MACS_MOST = 1024;

/** @param edges that serve every segment. */
export function translate(statements: readonly Statement[], edges: readonly string[]): Translation {
  const survey = new Survey(statements);
  const unique = namer();
  const drafts = draftsOf(survey, namer());
  const { classes: declared, byName } = classesOf(survey, unique);
  const hosts = survey.hosts.map((host) => hostOf(host, survey)).filter((host) => host !== undefined);
  const classes: DhcpClass[] = [...declared, ...refusedOf(hosts, unique)];
  const known = survey.ranges.some(({ isForKnown }) => isForKnown) ? knownOf(hosts, unique, survey) : [];
  classes.push(...known);
  for (const host of hosts) reserve(host, drafts, survey);
  for (const range of survey.ranges) addRange(range, drafts, byName, known, survey);
  const inputs = drafts.filter((draft) => isOfUse(draft, survey)).map((draft) => inputOf(draft, edges));
  const segments = inputs.flatMap(({ draft, input }) => {
    const parsed = Segment.safeParse(input);
    if (parsed.success) return [parsed.data];
    const [issue] = parsed.error.issues;
    survey.lose(notTaken(draft.network.statement, `no segment: ${issue?.path.join('.')} ${issue?.message}`));
    return [];
  });
  const isKept = isWanted(segments);
  for (const { name, statement } of survey.classes) {
    const ours = classes.filter((each) => byName.get(name)?.includes(each.name));
    if (ours.length > 0 && !ours.some(isKept))
      survey.lose(notTaken(statement, 'nothing is left that it would say, and no pool is for it', true));
  }
  const policy = DhcpPolicy.parse({
    options: survey.global.options,
    classes: classes.filter(isKept),
  });
  for (const [index, segment] of segments.entries()) {
    const found = segmentProblem(segment, segments) ?? policyProblem(policy, [segment]);
    const statement = inputs[index]?.draft.network.statement;
    if (found && statement)
      survey.lose(notTaken(statement, `${segment.name} will be refused: ${found.field}: ${found.message}`));
  }
  const notTakenInOrder = survey.notTaken.toSorted(
    (a, b) => a.place.file.localeCompare(b.place.file) || a.place.line - b.place.line,
  );
  return { segments, policy, notTaken: notTakenInOrder };
}

function draftsOf(survey: Survey, unique: (text: string) => string): readonly Draft[] {
  const inShared = new Map<string, number>();
  for (const { sharedName = '' } of survey.networks)
    inShared.set(sharedName, (inShared.get(sharedName) ?? 0) + 1);
  return survey.networks.flatMap((network) => {
    const { statement, sharedName } = network;
    const subnet = subnetOf(network);
    if (!subnet || subnet.prefixLength < 8 || subnet.prefixLength > 30) {
      survey.lose(notTaken(statement, 'a segment is a subnet between /8 and /30'));
      return [];
    }
    const isAlone = sharedName !== undefined && inShared.get(sharedName) === 1;
    if (sharedName !== undefined && !isAlone)
      survey.lose(
        notTaken(
          statement,
          `a segment has one subnet: those of shared network ${sharedName} became segments of their own, and a relay's giaddr says which one machines get an address of`,
        ),
      );
    const byNumber = `net-${numberToIpv4(subnet.network).replaceAll('.', '-')}`;
    const name = unique(isAlone ? sharedName : byNumber);
    return [{ network, name, subnet, pools: [], reservations: [], givesBootp: false }];
  });
}

function subnetOf({ network, netmask }: Network): Draft['subnet'] | undefined {
  try {
    const prefix = 32 - Math.log2(2 ** 32 - ipv4ToNumber(netmask));
    return Number.isInteger(prefix) ? parseSubnet(`${network}/${prefix}`) : undefined;
  } catch {
    return undefined;
  }
}

function holderOf(address: string, drafts: readonly Draft[]): Draft | undefined {
  const number = ipv4ToNumber(address);
  return drafts.find(({ subnet }) => subnet.network <= number && number <= subnet.broadcast);
}

function addRange(
  range: Range,
  drafts: readonly Draft[],
  byName: ReadonlyMap<string, readonly string[]>,
  known: readonly DhcpClass[],
  survey: Survey,
): void {
  const numbers = [range.first, range.last].map(numberOf);
  const [low, high] = numbers.toSorted((a, b) => (a ?? 0) - (b ?? 0));
  const draft = low === undefined || high === undefined ? undefined : holderOf(numberToIpv4(low), drafts);
  if (low === undefined || high === undefined || !draft || high > draft.subnet.broadcast) {
    survey.lose(notTaken(range.statement, 'it lies in no subnet of this file'));
    return;
  }
  const names = (range.classes ?? []).flatMap((name) => byName.get(name) ?? []);
  if (range.classes && names.length === 0) {
    survey.lose(notTaken(range.statement, `none of its classes could be taken: ${range.classes.join(', ')}`));
    return;
  }
  if (range.isForKnown && known.length === 0) {
    survey.lose(notTaken(range.statement, 'it is for known hosts, and none is known by its MAC'));
    return;
  }
  const classes = [...names, ...(range.isForKnown ? known.map(({ name }) => name) : [])];
  const router = routerOf(draft);
  const parts = around(
    { first: Math.max(low, draft.subnet.network + 1), last: Math.min(high, draft.subnet.broadcast - 1) },
    router === undefined ? undefined : ipv4ToNumber(router),
  );
  if (parts.reduce((sum, { first, last }) => sum + last - first + 1, 0) < high - low + 1)
    survey.lose(
      notTaken(range.statement, "the network's, the broadcast's and the router's address are left out", true),
    );
  for (const { first, last } of parts)
    draft.pools.push({
      first: numberToIpv4(first),
      last: numberToIpv4(last),
      ...(classes.length > 0 ? { classes } : {}),
    });
  if (range.isForBootp) draft.givesBootp = true;
}

/** A range without one address of it. */
function around(
  { first, last }: { readonly first: number; readonly last: number },
  hole: number | undefined,
): readonly { readonly first: number; readonly last: number }[] {
  if (hole === undefined || hole < first || hole > last) return first <= last ? [{ first, last }] : [];
  return [
    { first, last: hole - 1 },
    { first: hole + 1, last },
  ].filter((part) => part.first <= part.last);
}

function reserve(
  { statement, client, given, addresses, isRefused }: Host,
  drafts: readonly Draft[],
  survey: Survey,
): void {
  if (isRefused) return;
  if (addresses.length === 0) {
    // Known everywhere: dhcpd gives it what the host says, wherever it comes from.
    if (Object.keys(given).length > 0)
      for (const draft of drafts) draft.reservations.push({ ...client, ...given });
    else if (!survey.ranges.some(({ isForKnown }) => isForKnown))
      survey.lose(notTaken(statement, 'it has no address and nothing else of its own', true));
    return;
  }
  for (const address of addresses) {
    const number = numberOf(address);
    const draft = number === undefined ? undefined : holderOf(address, drafts);
    const why = !draft
      ? number === undefined
        ? `'${address}' is no address: write the address of that host`
        : `${address} lies in no subnet of this file`
      : address === routerOf(draft)
        ? `${address} is the router's`
        : draft.reservations.some((other) => other.address === address)
          ? `${address} is reserved already`
          : draft.reservations.some((other) => isSameClient(other, client))
            ? `the client has a reservation in ${draft.name} already`
            : undefined;
    if (why !== undefined) survey.lose(notTaken(statement, why));
    else draft?.reservations.push({ ...client, address, ...given });
  }
}

function isSameClient(a: Host['client'], b: Host['client']): boolean {
  return a.mac === b.mac && a.clientId === b.clientId && JSON.stringify(a.port) === JSON.stringify(b.port);
}

function refusedOf(hosts: readonly Host[], unique: (text: string) => string): readonly DhcpClass[] {
  const macs = hosts.flatMap(({ isRefused, client }) => (isRefused && client.mac ? [client.mac] : []));
  return inClasses(macs).map((part) => ({
    name: unique('refused-hosts'),
    match: { macs: part },
    refuse: 'deny booting in dhcpd.conf',
  }));
}

function knownOf(
  hosts: readonly Host[],
  unique: (text: string) => string,
  survey: Survey,
): readonly DhcpClass[] {
  const macs = hosts.flatMap(({ isRefused, client }) => (!isRefused && client.mac ? [client.mac] : []));
  for (const { statement, client } of hosts)
    if (client.mac === undefined)
      survey.lose(
        notTaken(statement, 'it is not among the known hosts that pools are for: they are known by MAC'),
      );
  return inClasses(macs).map((part) => ({ name: unique('known-hosts'), match: { macs: part } }));
}

function inClasses(macs: readonly string[]): readonly string[][] {
  const distinct = [...new Set(macs)];
  return Array.from({ length: Math.ceil(distinct.length / MACS_MOST) }, (_, index) =>
    distinct.slice(index * MACS_MOST, (index + 1) * MACS_MOST),
  );
}

/** A class that says nothing and that no pool is for would only be a burden. */
function isWanted(segments: readonly Segment[]): (each: DhcpClass) => boolean {
  const named = new Set(segments.flatMap(({ pools }) => pools.flatMap(({ classes = [] }) => classes)));
  return ({ name, options, firmware, refuse }) =>
    named.has(name) || options !== undefined || firmware !== undefined || refuse !== undefined;
}

function isOfUse({ network, pools, reservations }: Draft, survey: Survey): boolean {
  if (pools.length > 0 || reservations.some(({ address }) => address !== undefined)) return true;
  survey.lose(notTaken(network.statement, 'nothing is given away in it', true));
  return false;
}

/** Where it is a host of the subnet; a router elsewhere can only be an option. */
function routerOf({ network: { settings }, subnet }: Draft): string | undefined {
  const [router] = settings.options['routers']?.split(', ') ?? [];
  if (router === undefined) return undefined;
  const number = ipv4ToNumber(router);
  return number > subnet.network && number < subnet.broadcast ? router : undefined;
}

function inputOf(
  draft: Draft,
  edges: readonly string[],
): { readonly draft: Draft; readonly input: SegmentInput } {
  const { network, name, subnet, pools, reservations, givesBootp } = draft;
  const { leaseSeconds, checkConflicts, bootp, firmware } = network.settings;
  const { routers, 'domain-name-servers': dns, 'domain-name': domain, ...options } = network.settings.options;
  const router = routerOf(draft);
  const dnsServers = dns?.split(', ') ?? [];
  const isDomain = domain !== undefined && /^[A-Za-z0-9.-]{1,253}$/.test(domain);
  const others = {
    ...(routers !== undefined && routers !== router ? { routers } : {}),
    ...(dnsServers.length > 8 ? { 'domain-name-servers': dns } : {}),
    ...(domain !== undefined && !isDomain ? { 'domain-name': domain } : {}),
    ...options,
  };
  const reserved = reservations.some(({ address }) => address !== undefined) ? 'reserved' : undefined;
  const policy = bootp === 'refuse' ? 'refuse' : givesBootp ? 'pool' : (bootp ?? reserved);
  const input = {
    name,
    subnet: `${numberToIpv4(subnet.network)}/${subnet.prefixLength}`,
    pools,
    ...(reservations.length > 0 ? { reservations } : {}),
    ...(router === undefined ? {} : { router }),
    ...(dnsServers.length > 0 && dnsServers.length <= 8 ? { dnsServers } : {}),
    ...(isDomain ? { domain } : {}),
    ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
    ...(checkConflicts === undefined ? {} : { checkConflicts }),
    ...(policy === undefined ? {} : { bootp: policy }),
    ...(Object.keys(firmware).length > 0 ? { firmware } : {}),
    ...(Object.keys(others).length > 0 ? { options: others } : {}),
    edges,
  };
  return { draft, input };
}

function numberOf(text: string): number | undefined {
  try {
    return ipv4ToNumber(text);
  } catch {
    return undefined;
  }
}

/** Names as segments and classes have them, each only once. */
function namer(): (text: string) => string {
  const taken = new Set<string>();
  return (text) => {
    const plain =
      text
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 56) || 'class';
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}-${number}`;
    taken.add(name);
    return name;
  };
}

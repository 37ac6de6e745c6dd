import {
  type AddressRange,
  type DhcpPolicy,
  ipv4ToNumber,
  parseSubnet,
  type Segment,
} from '@bootswarm/controller/contract';
import { type CompiledClass, compileClass } from './classify.ts';
import { isForBoot } from './known-classes.ts';
import { encodeSettings, layered, type OptionLevel, segmentOptions } from './options.ts';
import { Reservations } from './reservations.ts';

/** Addresses to give away, as numbers. */
export interface Pool {
  /** Names it among all pools of the site. */
  readonly key: string;
  readonly segment: string;
  readonly first: number;
  readonly last: number;
  /** Undefined: open to everybody. */
  readonly classes: readonly string[] | undefined;
  /** Excluded, or reserved for somebody. */
  readonly barred: readonly NumberRange[];
  isBarred(address: number): boolean;
}

/** Addresses from `first` to `last`, both included. */
interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** A segment, made ready to be asked many thousand times a second. */
export interface ServedSegment {
  readonly segment: Segment;
  readonly network: number;
  readonly broadcast: number;
  /** Those with classes come first: the narrower wins. */
  readonly pools: readonly Pool[];
  readonly reservations: Reservations;
  /** The global ones, and over them the segment's own. */
  readonly options: OptionLevel;
}

/** All that this edge serves, from one desired state. */
export interface Site {
  readonly classes: readonly CompiledClass[];
  /** Whether one of them bears on TFTP or on scripts. */
  readonly hasBootClasses: boolean;
  /** DHCP servers of ours: the other edges of these segments. */
  readonly fellows: ReadonlySet<string>;
  /** The segment that an address belongs to: of a machine in it, or of one of its relays. */
  segmentOf(address: string): ServedSegment | undefined;
}

export interface SiteFacts {
  readonly segments: readonly Segment[];
  readonly policy: DhcpPolicy;
  readonly fellows?: readonly string[];
}

export function compileSite({ segments, policy, fellows = [] }: SiteFacts): Site {
  const global = encodeSettings(policy.options);
  const served = segments.map((segment) => serve(segment, global));
  const byNetwork = served.toSorted((a, b) => a.network - b.network);
  // A relay may sign with an address out of another segment's subnet, such as that of the routers themselves.
  const byRelay = new Map(served.flatMap((each) => each.segment.relays.map((relay) => [relay, each])));
  return {
    classes: policy.classes.map(compileClass),
    hasBootClasses: policy.classes.some(isForBoot),
    fellows: new Set(fellows),
    segmentOf: (address) => byRelay.get(address) ?? holderOf(byNetwork, ipv4ToNumber(address)),
  };
}

export function isInSegment({ network, broadcast }: ServedSegment, address: string): boolean {
  const number = ipv4ToNumber(address);
  return network <= number && number <= broadcast;
}

/** Subnets do not overlap, so the one that begins last before the address holds it, if any does. */
function holderOf(byNetwork: readonly ServedSegment[], address: number): ServedSegment | undefined {
  let [low, high] = [0, byNetwork.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((byNetwork[middle]?.network ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  const found = byNetwork[low - 1];
  return found !== undefined && address <= found.broadcast ? found : undefined;
}

function serve(segment: Segment, global: OptionLevel): ServedSegment {
  const { network, broadcast } = parseSubnet(segment.subnet);
  const reservations = new Reservations(segment.reservations);
  const exclusions = segment.exclusions.map(numbersOf);
  const reserved = new Set(reservations.addresses.map(ipv4ToNumber));
  const barred = [...exclusions, ...Array.from(reserved, (address) => ({ first: address, last: address }))];
  const isBarred = (address: number): boolean =>
    reserved.has(address) || exclusions.some(({ first, last }) => first <= address && address <= last);
  const pools = segment.pools.map(
    (pool): Pool => ({
      ...numbersOf(pool),
      key: `${segment.name} ${pool.first}`,
      segment: segment.name,
      classes: pool.classes,
      barred,
      isBarred,
    }),
  );
  return {
    segment,
    network,
    broadcast,
    pools: pools.toSorted((a, b) => Number(a.classes === undefined) - Number(b.classes === undefined)),
    reservations,
    options: layered([global, segmentOptions(segment), encodeSettings(segment.options)]),
  };
}

function numbersOf({ first, last }: AddressRange): NumberRange {
  return { first: ipv4ToNumber(first), last: ipv4ToNumber(last) };
}

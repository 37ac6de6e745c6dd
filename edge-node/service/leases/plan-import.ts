import { ipv4ToNumber, parseSubnet, type Segment } from '@bootswarm/controller/contract';
import type { Lease } from '../decide/lease.ts';
import type { FiledLease, Wrong } from './lease-file.ts';

export interface Placed {
  readonly leases: readonly Lease[];
  readonly wrong: readonly Wrong[];
}

/**
 * Finds the segment of each lease: the one that the operator named, else the one of the file, else the one of this
 * edge whose subnet holds the address.
 */
export function placeLeases(
  filed: readonly FiledLease[],
  { segments, named }: { readonly segments: readonly Segment[]; readonly named: string | undefined },
): Placed {
  const subnets = segments.map(({ name, subnet }) => ({ name, ...parseSubnet(subnet) }));
  const isIn = (address: string, { network, broadcast }: (typeof subnets)[number]): boolean =>
    network <= ipv4ToNumber(address) && ipv4ToNumber(address) <= broadcast;
  const namedSubnet = subnets.find(({ name }) => name === named);
  const leases: Lease[] = [];
  const wrong: Wrong[] = [];
  for (const { where, ...lease } of filed) {
    const { address } = lease;
    const segment = named ?? lease.segment ?? subnets.find((subnet) => isIn(address, subnet))?.name;
    if (segment === undefined)
      wrong.push({ where, reason: `${address} is in no segment of this edge, and --segment names none` });
    else if (namedSubnet && !isIn(address, namedSubnet))
      wrong.push({ where, reason: `${address} is not in the subnet of segment ${segment}` });
    else leases.push({ ...lease, segment });
  }
  return { leases, wrong };
}

export interface Conflict {
  readonly live: Lease;
  readonly imported: Lease;
}

/** What an import does with each lease. */
export interface ImportPlan {
  readonly write: readonly Lease[];
  /** As they are here already. */
  readonly unchanged: number;
  /** The live lease here stays: the imported one has ended, or ends earlier. */
  readonly stays: number;
  /** Live here and in the file, and not the same: another machine, or another state. */
  readonly conflicts: readonly Conflict[];
}

/**
 * @param at the lease that is there now.
 * @param force the file wins where there is a conflict; the conflicts are in `write` as well then.
 */
export function planImport(
  imported: readonly Lease[],
  {
    at,
    nowMs,
    force,
  }: { readonly at: (address: string) => Lease | undefined; readonly nowMs: number; readonly force: boolean },
): ImportPlan {
  const write: Lease[] = [];
  const conflicts: Conflict[] = [];
  let unchanged = 0;
  let stays = 0;
  for (const lease of imported) {
    const here = at(lease.address);
    const isLive = here !== undefined && here.expiresAtMs > nowMs;
    if (here && isSame(here, lease)) unchanged += 1;
    else if (!isLive) write.push(lease);
    else if (lease.expiresAtMs <= nowMs) stays += 1;
    else if (here.mac !== lease.mac || here.state !== lease.state) {
      conflicts.push({ live: here, imported: lease });
      if (force) write.push(lease);
    } else if (lease.expiresAtMs < here.expiresAtMs) stays += 1;
    else write.push(lease);
  }
  return { write, unchanged, stays, conflicts };
}

function isSame(one: Lease, other: Lease): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as ReadonlySet<keyof Lease>;
  return [...names].every((name) => one[name] === other[name]);
}

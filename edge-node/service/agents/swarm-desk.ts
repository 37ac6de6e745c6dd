import type { DesiredState, Segment, SwarmTerms } from '@bootswarm/controller/contract';
import { findArtefact, releaseId } from '@bootswarm/images/format';
import type { Lease } from '../decide/lease.ts';
import { fetchedRelease, fetchersIn, swarmTerms } from '../decide/swarm-terms.ts';
import type { Serving } from '../state/serving.ts';
import type { Duty } from './duty.ts';

/** A thousand machines ask within seconds, and are counted once in this time. */
const COUNTED_MS = 1_000;

export interface SwarmDeskParts {
  readonly serving: Pick<Serving, 'state' | 'segmentOf'>;
  readonly leases: () => Iterable<Lease>;
  /** Whether what a machine is to do once is not done yet. */
  readonly isOpen: (machine: DesiredState['machines'][number]) => boolean;
  /** Whether this edge gives an artefact to its swarm. */
  readonly isGiven: (sha256: string) => boolean;
  /** Milliseconds of Unix time. */
  readonly clock?: () => number;
}

/** Tells machines whether they fetch of their neighbours, by how many they are. */
export class SwarmDesk {
  readonly #parts: SwarmDeskParts;
  readonly #clock: () => number;
  /** By segment. */
  readonly #counted = new Map<
    string,
    { readonly fetchers: ReadonlyMap<string, number>; readonly atMs: number }
  >();

  constructor(parts: SwarmDeskParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
  }

  /** Undefined for what is fetched by HTTP, or not fetched at all. @param edge its address, as the machine reached it. */
  termsFor({ address }: Lease, { intent }: Duty, edge: string): SwarmTerms | undefined {
    const { serving } = this.#parts;
    const segment = serving.segmentOf(address);
    const release = fetchedRelease(intent, serving.state?.profiles);
    if (!segment || release === undefined || !this.#hasSwarm(release)) return undefined;
    return swarmTerms(segment, this.#fetchersIn(segment).get(release) ?? 0, edge);
  }

  #hasSwarm(release: string): boolean {
    const { serving, isGiven } = this.#parts;
    const manifest = serving.state?.releases.find((each) => releaseId(each) === release);
    const image = manifest && (findArtefact(manifest, 'root') ?? findArtefact(manifest, 'disk'));
    return image !== undefined && isGiven(image.sha256);
  }

  #fetchersIn(segment: Segment): ReadonlyMap<string, number> {
    const { serving, leases, isOpen } = this.#parts;
    const nowMs = this.#clock();
    const counted = this.#counted.get(segment.name);
    if (counted && nowMs - counted.atMs < COUNTED_MS) return counted.fetchers;
    const { machines = [], profiles } = serving.state ?? {};
    const fetchers = fetchersIn(segment, { machines, profiles }, leases(), isOpen, nowMs);
    this.#counted.set(segment.name, { fetchers, atMs: nowMs });
    return fetchers;
  }
}

import { isDeepStrictEqual } from 'node:util';
import {
  type DhcpPolicy,
  policyProblem,
  problem,
  Segment,
  segmentProblem,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { CheckIntent } from '../catalogue/release-uses.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { edgeKey } from './edges.ts';
import type { Policy } from './policy.ts';

export const SEGMENTS_PREFIX = 'segments/';
/** Read and written by every change of a segment, so that two that overlap cannot both be added. */
const GUARD = 'guards/segments';

export class Segments {
  readonly #store: StateStore;
  readonly #policy: Policy;
  readonly #checkIntent: CheckIntent;

  constructor(store: StateStore, policy: Policy, checkIntent: CheckIntent) {
    this.#store = store;
    this.#policy = policy;
    this.#checkIntent = checkIntent;
  }

  async list(): Promise<Segment[]> {
    const entries = await this.#store.list(SEGMENTS_PREFIX);
    return entries.map(({ value }) => Segment.parse(value));
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<Segment> {
    const entry = await this.#store.get(SEGMENTS_PREFIX + name);
    if (!entry) throw unknownSegment(name);
    return Segment.parse(entry.value);
  }

  /** @throws Problem already_exists, edge_unknown and the `segment_` ones. Adding the same again changes nothing. */
  add(segment: Segment): Promise<Segment> {
    return this.#put(segment, false);
  }

  /** @throws Problem input_invalid, edge_unknown and the `segment_` ones. */
  replace(name: string, segment: Segment): Promise<Segment> {
    if (segment.name !== name)
      throw problem('input_invalid', { field: 'name', facts: { reason: `must be ${name}, as in the path` } });
    return this.#put(segment, true);
  }

  async #put(segment: Segment, replaces: boolean): Promise<Segment> {
    return transact(this.#store, `segment ${segment.name}`, async (reads) => {
      const beside = await this.#checkIntents(segment, reads);
      await reads.get(GUARD);
      const held = await reads.get(SEGMENTS_PREFIX + segment.name);
      if (held && isDeepStrictEqual(Segment.parse(held.value), segment)) return { result: segment };
      if (held && !replaces)
        throw problem('already_exists', { field: 'name', facts: { kind: 'segment', name: segment.name } });
      for (const [index, edge] of segment.edges.entries()) {
        if (!(await reads.get(edgeKey(edge))))
          throw problem('edge_unknown', { field: `edges[${index}]`, facts: { edge } });
      }
      const found =
        segmentProblem(segment, await this.list()) ?? classProblem(segment, await this.#policy.within(reads));
      if (found) throw found;
      return {
        put: { [SEGMENTS_PREFIX + segment.name]: segment, [GUARD]: segment.name, ...beside },
        result: segment,
      };
    });
  }

  async #checkIntents(segment: Segment, reads: Reads): Promise<Record<string, unknown>> {
    const { defaultIntent, menu } = segment;
    const beside = { ...(await this.#checkIntent(defaultIntent, reads)) };
    for (const entry of menu?.entries ?? []) {
      if (entry.kind === 'live' || entry.kind === 'rescue')
        Object.assign(beside, await this.#checkIntent({ kind: 'live', release: entry.release }, reads));
    }
    const { unknownMachines } = segment;
    const profile = typeof unknownMachines === 'object' ? unknownMachines.installBy : undefined;
    if (profile !== undefined) {
      const asked = this.#checkIntent({ kind: 'install', profile }, reads).catch((error: unknown) => {
        if (!(error instanceof Problem) || error.code !== 'profile_unknown') throw error;
        throw problem('profile_unknown', { field: 'unknownMachines.installBy', facts: { profile } });
      });
      Object.assign(beside, await asked);
    }
    return beside;
  }

  /** @throws Problem not_found, segment_in_use */
  remove(name: string): Promise<void> {
    return transact(this.#store, `segment ${name}`, async (reads) => {
      if (!(await reads.get(SEGMENTS_PREFIX + name))) throw unknownSegment(name);
      const { classes } = await this.#policy.within(reads);
      const about = classes.find(({ match }) => match.segments?.includes(name));
      if (about) throw problem('segment_in_use', { facts: { class: about.name, segment: name } });
      await reads.get(GUARD);
      return { put: { [GUARD]: name }, remove: [SEGMENTS_PREFIX + name], result: undefined };
    });
  }

  /** All segments; the transaction of `reads` loses where one of them changes meanwhile. */
  async within(reads: Reads): Promise<Segment[]> {
    await reads.get(GUARD);
    return this.list();
  }

  /** A segment that `edge` serves; the transaction of `reads` loses where that changes meanwhile. */
  async servedBy(edge: string, reads: Reads): Promise<string | undefined> {
    await reads.get(GUARD);
    return (await this.list()).find((segment) => segment.edges.includes(edge))?.name;
  }
}

/** Only of the segment's own pools: what other segments name was checked when they came. */
function classProblem(segment: Segment, { options, classes }: DhcpPolicy): Problem | undefined {
  const about = classes.map(({ match, ...rest }) => {
    const { segments: _, ...others } = match;
    return { ...rest, match: others };
  });
  return policyProblem({ options, classes: about }, [segment]);
}

function unknownSegment(name: string): Error {
  return problem('not_found', { facts: { kind: 'segment', name } });
}

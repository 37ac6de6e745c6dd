import { isDeepStrictEqual } from 'node:util';
import { type Intent, problem, Segment, segmentProblem } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { edgeKey } from './edges.ts';

const PREFIX = 'segments/';
/** Read and written by every change of a segment, so that two that overlap cannot both be added. */
const GUARD = 'guards/segments';

export class Segments {
  readonly #store: StateStore;
  readonly #checkIntent: (intent: Intent) => Promise<void>;

  /** @param checkIntent throws a Problem where an intent names what does not exist. */
  constructor(store: StateStore, checkIntent: (intent: Intent) => Promise<void>) {
    this.#store = store;
    this.#checkIntent = checkIntent;
  }

  async list(): Promise<Segment[]> {
    const entries = await this.#store.list(PREFIX);
    return entries.map(({ value }) => Segment.parse(value));
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<Segment> {
    const entry = await this.#store.get(PREFIX + name);
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
    await this.#checkIntent(segment.defaultIntent);
    for (const entry of segment.menu?.entries ?? []) {
      if (entry.kind === 'live' || entry.kind === 'rescue')
        await this.#checkIntent({ kind: 'live', release: entry.release });
    }
    return transact(this.#store, `segment ${segment.name}`, async (reads) => {
      await reads.get(GUARD);
      const held = await reads.get(PREFIX + segment.name);
      if (held && isDeepStrictEqual(Segment.parse(held.value), segment)) return { result: segment };
      if (held && !replaces)
        throw problem('already_exists', { field: 'name', facts: { kind: 'segment', name: segment.name } });
      for (const [index, edge] of segment.edges.entries()) {
        if (!(await reads.get(edgeKey(edge))))
          throw problem('edge_unknown', { field: `edges[${index}]`, facts: { edge } });
      }
      const found = segmentProblem(segment, await this.list());
      if (found) throw found;
      return { put: { [PREFIX + segment.name]: segment, [GUARD]: segment.name }, result: segment };
    });
  }

  /** @throws Problem not_found */
  remove(name: string): Promise<void> {
    return transact(this.#store, `segment ${name}`, async (reads) => {
      if (!(await reads.get(PREFIX + name))) throw unknownSegment(name);
      await reads.get(GUARD);
      return { put: { [GUARD]: name }, remove: [PREFIX + name], result: undefined };
    });
  }

  /** A segment that `edge` serves; the transaction of `reads` loses where that changes meanwhile. */
  async servedBy(edge: string, reads: Reads): Promise<string | undefined> {
    await reads.get(GUARD);
    return (await this.list()).find((segment) => segment.edges.includes(edge))?.name;
  }
}

function unknownSegment(name: string): Error {
  return problem('not_found', { facts: { kind: 'segment', name } });
}

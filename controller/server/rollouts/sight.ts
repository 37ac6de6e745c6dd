import {
  Edge,
  type EdgeRecord,
  Machine,
  type MiniSetting,
  type RolloutMachine,
  Segment,
} from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import { SEGMENTS_PREFIX } from '../edges/segments.ts';
import { MACHINES_PREFIX, machineKey } from '../machines/keys.ts';
import { machineRecords } from '../machines/record-ring.ts';
import type { StateStore } from '../store/state-store.ts';
import type { Board } from './board.ts';
import { Mirror } from './mirror.ts';
import { isInFlight, type Seen, type SiteView } from './planner/index.ts';
import { type EdgesView, lackOfSegment } from './readiness.ts';
import { seenOf } from './seen.ts';

const EDGES_PREFIX = 'edges/';

export interface SightParts {
  readonly store: StateStore;
  /** Of a release, or of the one that a channel points to. */
  readonly manifestOf: (reference: string) => Promise<Manifest | undefined>;
  readonly mini: () => Promise<MiniSetting>;
}

/** The site as the planner sees it: of machines, edges and segments only those are read that changed. */
export class Sight {
  readonly #parts: SightParts;
  readonly #edges: Mirror<Edge>;
  readonly #segments: Mirror<Segment>;
  /** By machine, with the epoch that it was seen under. */
  readonly #seen = new Map<string, { readonly epoch: number | undefined; readonly seen: Seen }>();
  /** Releases never change. */
  readonly #manifests = new Map<string, Manifest>();
  #revision: number | undefined;

  constructor(parts: SightParts) {
    this.#parts = parts;
    this.#edges = new Mirror(parts.store, EDGES_PREFIX, (value) => Edge.parse(value));
    this.#segments = new Mirror(parts.store, SEGMENTS_PREFIX, (value) => Segment.parse(value));
  }

  async look(
    board: Board,
    busy: ReadonlySet<string>,
    now: Date,
  ): Promise<Omit<SiteView, 'settleMs' | 'powerFrom'>> {
    const { store } = this.#parts;
    // Asked before anything is read: what changes meanwhile is read again the next time.
    const revision = await store.revision();
    const changed = this.#revision === undefined ? undefined : await store.changesSince(this.#revision);
    const rollouts = board.views();
    await this.#lookAtMachines(
      rollouts.flatMap(({ machines }) => machines.filter(isWatched)),
      changed,
    );
    const edges = await this.#edgesAfter(changed);
    this.#revision = revision;
    const references = rollouts.flatMap(({ rollout }) => [rollout.release, ...rollout.releasesBefore]);
    return {
      now,
      rollouts,
      busy,
      seen: ({ machine, epoch }) => {
        const held = this.#seen.get(machine);
        return held !== undefined && held.epoch === epoch ? held.seen : { kind: 'nothing' };
      },
      edgesOf: (segment) => edges.segments.get(segment)?.edges ?? [],
      lackOf: await this.#lacks(edges, references, now),
    };
  }

  /** The edges and segments as they are now. */
  async edges(): Promise<EdgesView> {
    return this.#edgesAfter(undefined);
  }

  /** Why machines of a segment may not be sent to its edges, for each of these releases. */
  async lacks(edges: EdgesView, references: readonly string[], now: Date): Promise<SiteView['lackOf']> {
    return this.#lacks(edges, references, now);
  }

  async #edgesAfter(changed: ReadonlySet<string> | undefined): Promise<EdgesView> {
    return { segments: await this.#segments.take(changed), edges: await this.#edges.take(changed) };
  }

  async #lookAtMachines(
    watched: readonly RolloutMachine[],
    changed: ReadonlySet<string> | undefined,
  ): Promise<void> {
    for (const record of watched) {
      const held = this.#seen.get(record.machine);
      const isNew = held === undefined || held.epoch !== record.epoch;
      if (!isNew && changed !== undefined && !changed.has(machineKey(record.machine))) continue;
      this.#seen.set(record.machine, { epoch: record.epoch, seen: await this.#see(record) });
    }
  }

  async #see(record: RolloutMachine): Promise<Seen> {
    const { store } = this.#parts;
    const entry = await store.get(MACHINES_PREFIX + record.machine);
    const machine = entry && Machine.parse(entry.value);
    const { kind } = machine?.intent ?? {};
    const records: readonly EdgeRecord[] =
      kind === 'live' || kind === 'installer'
        ? await machineRecords.read(store, record.machine, record.recordsBefore)
        : [];
    return seenOf(machine, record, records);
  }

  async #lacks(edges: EdgesView, references: readonly string[], now: Date): Promise<SiteView['lackOf']> {
    const mini = await this.#parts.mini();
    const needs = new Map<string, readonly (Manifest | undefined)[]>();
    for (const reference of new Set(references)) {
      const manifest = await this.#manifest(reference);
      const agent = manifest && mini[manifest.architecture];
      needs.set(
        reference,
        agent === undefined ? [manifest] : [manifest, await this.#parts.manifestOf(agent)],
      );
    }
    const found = new Map<string, string | undefined>();
    return (release, segment) => {
      const key = `${segment ?? ''} ${release}`;
      if (!found.has(key))
        found.set(key, lackOfSegment(edges, segment, needs.get(release) ?? [undefined], now));
      return found.get(key);
    };
  }

  async #manifest(release: string): Promise<Manifest | undefined> {
    const held = this.#manifests.get(release) ?? (await this.#parts.manifestOf(release));
    if (held !== undefined) this.#manifests.set(release, held);
    return held;
  }
}

/** Of whom it matters what edges tell: of those that were armed and are not left for good. */
function isWatched(record: RolloutMachine): boolean {
  return (
    record.epoch !== undefined && (isInFlight(record) || record.step === 'done' || record.step === 'failed')
  );
}

import { Edge, Machine } from '@bootswarm/controller/contract';
import { MACHINES_PREFIX } from '../machines/keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { Watchers } from '../store/watchers.ts';
import { desiredMachinesOf, type Fleet } from './desired-state.ts';
import { EDGES_PREFIX } from './edges.ts';

/**
 * What no desired state tells of, and much of which is written with every record and status of an edge. Whatever is not
 * named here makes the fleet be read anew: too much named would leave edges behind, too little costs time.
 */
const BESIDE =
  /^(events\/|log-counts\/|machine-(records|counts|move-records|move-counts|macs|uuids|names|hardware|reservations|due)\/|alarm-(records|counts)\/|inspections\/|inspection-counts\/|tokens\/|guards\/|power-|webhook|kept-answer|newcomer-|rollout-|secrets\/)/;

/** The fleet as it stood at some commit. Another version tells edges something else, or may do so. */
export interface FleetVersion {
  /** Counts up. */
  readonly version: number;
  /** With those machines alone that have an intent. */
  readonly fleet: Fleet;
}

/**
 * The part of the catalogue that edges are told of, kept in memory. A commit that changes nothing of it costs a look at
 * its keys; machines and edges that changed are read one by one, and anything else makes all be read again.
 */
export class FleetView {
  readonly #store: StateStore;
  readonly #readFleet: () => Promise<Fleet>;
  readonly #watchers = new Watchers();
  #listeners = 0;
  #unwatch: (() => void) | undefined;
  /** Everything up to this revision of the store is in. */
  #revision = -1;
  #reading: Promise<void> | undefined;
  #held: FleetVersion | undefined;
  #machines = new Map<string, Machine>();
  #edges = new Map<string, Edge>();
  #toldText = '';

  constructor(store: StateStore, readFleet: () => Promise<Fleet>) {
    this.#store = store;
    this.#readFleet = readFleet;
  }

  /** As it is at the time of the call, or later. @throws what reading throws. */
  async current(): Promise<FleetVersion> {
    const revision = await this.#store.revision();
    for (;;) {
      if (this.#held && this.#revision >= revision) return this.#held;
      this.#reading ??= this.#catchUp().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
  }

  /** Calls back once there is another version, or it could not be seen whether there is. */
  watch(onChange: () => void): () => void {
    const remove = this.#watchers.add(onChange);
    this.#listeners += 1;
    this.#unwatch ??= this.#store.watch(() => {
      this.current().catch(() => this.#watchers.tell());
    });
    return () => {
      remove();
      this.#listeners -= 1;
      if (this.#listeners > 0) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }

  async #catchUp(): Promise<void> {
    // Asked before anything is read: what changes meanwhile is read again the next time.
    const revision = await this.#store.revision();
    const changed = this.#held && (await this.#store.changesSince(this.#revision));
    const [machines, edges, others] = sorted(changed);
    const isNews =
      this.#held && changed && !others ? await this.#readSome(machines, edges) : await this.#readAll();
    this.#revision = revision;
    if (!isNews) return;
    const { version = 0, fleet } = this.#held ?? {};
    if (!fleet) return;
    const now = { ...fleet, machines: [...this.#machines.values()], edges: [...this.#edges.values()] };
    this.#held = { version: version + 1, fleet: now };
    this.#watchers.tell();
  }

  async #readAll(): Promise<boolean> {
    const fleet = await this.#readFleet();
    const toldText = JSON.stringify({
      ...fleet,
      machines: desiredMachinesOf(fleet.machines),
      edges: fleet.edges.map(toldOfEdge),
    });
    const isNews = toldText !== this.#toldText;
    this.#toldText = toldText;
    const withIntent = fleet.machines.filter(({ intent }) => intent !== undefined);
    this.#machines = new Map(withIntent.map((machine) => [machine.id, machine]));
    this.#edges = new Map(fleet.edges.map((edge) => [edge.name, edge]));
    this.#held = { version: this.#held?.version ?? 0, fleet };
    return isNews;
  }

  async #readSome(machines: readonly string[], edges: readonly string[]): Promise<boolean> {
    const isNews = [await this.#readMachines(machines), await this.#readEdges(edges)];
    return isNews.includes(true);
  }

  async #readMachines(keys: readonly string[]): Promise<boolean> {
    let isNews = false;
    for (const key of keys) {
      const entry = await this.#store.get(key);
      const held = this.#machines.get(key.slice(MACHINES_PREFIX.length));
      // Most of what records touch: nothing is told of it, and nothing was.
      if (!held && (entry?.value as Machine | undefined)?.intent === undefined) continue;
      const machine = entry && Machine.parse(entry.value);
      const [was, is] = [held, machine].map((each) => JSON.stringify(desiredMachinesOf(each ? [each] : [])));
      if (was === is) continue;
      isNews = true;
      this.#toldText = '';
      if (machine?.intent === undefined) this.#machines.delete(key.slice(MACHINES_PREFIX.length));
      else this.#machines.set(machine.id, machine);
    }
    return isNews;
  }

  async #readEdges(keys: readonly string[]): Promise<boolean> {
    let isNews = false;
    for (const key of keys) {
      const entry = await this.#store.get(key);
      const name = key.slice(EDGES_PREFIX.length);
      const edge = entry && Edge.parse(entry.value);
      const held = this.#edges.get(name);
      if (JSON.stringify(held && toldOfEdge(held)) === JSON.stringify(edge && toldOfEdge(edge))) continue;
      isNews = true;
      this.#toldText = '';
      if (edge) this.#edges.set(name, edge);
      else this.#edges.delete(name);
    }
    return isNews;
  }
}

/** What one edge is told of another. */
function toldOfEdge({ name, status }: Edge): unknown {
  return [name, status?.addresses ?? []];
}

/** Keys of machines, of edges, and whether there are others that edges are told of. */
function sorted(
  changed: ReadonlySet<string> | undefined,
): [machines: string[], edges: string[], others: boolean] {
  const [machines, edges]: [string[], string[]] = [[], []];
  let others = false;
  for (const key of changed ?? []) {
    if (key.startsWith(MACHINES_PREFIX)) machines.push(key);
    else if (key.startsWith(EDGES_PREFIX)) edges.push(key);
    else others ||= !BESIDE.test(key);
  }
  return [machines, edges, others];
}

import {
  type Intent,
  intentToInstall,
  type JournalRecord,
  type Machine,
  type MachineMove,
} from '@bootswarm/controller/contract';
import { Edges } from '../edges/edges.ts';
import { AssignedInstalls } from '../machines/assigned-installs.ts';
import { Inspections } from '../machines/inspections.ts';
import { takeJournal } from '../machines/journal.ts';
import { LifeWatch } from '../machines/life-watch.ts';
import { Lives } from '../machines/lives.ts';
import { Machines } from '../machines/machines.ts';
import { MachineRules } from '../machines/rules.ts';
import type { StateStore } from '../store/state-store.ts';
import { sampleSegment } from './samples.ts';

export const LIFE_MAC = '52:54:00:00:00:0a';
const EDGES = ['edge1', 'edge2'] as const;

type Told = Omit<JournalRecord, 'seq' | 'at' | 'mac' | 'detail'> & { readonly mac?: string };

/** All that moves machines, over one store and a clock that a test sets. Profiles are whatever they are called. */
export class LifeUnderTest<Store extends StateStore = StateStore> {
  readonly store: Store;
  readonly machines: Machines;
  readonly lives: Lives;
  readonly inspections: Inspections;
  readonly installs: AssignedInstalls;
  readonly watch: LifeWatch;
  now = new Date('2026-03-02T08:00:00.000Z');
  readonly #seqs = new Map<string, number>();

  private constructor(store: Store) {
    this.store = store;
    this.machines = new Machines(store, async () => ({}));
    this.lives = new Lives(store);
    this.inspections = new Inspections(store, new MachineRules(store));
    this.installs = new AssignedInstalls({
      store,
      checkIntent: async () => ({}),
      checkFit: async () => {},
      intentBy: async ({ profile, release }) => intentToInstall({ kind: 'image', name: profile }, release),
    });
    this.watch = new LifeWatch({ store, installs: this.installs });
  }

  /** With two edges, and segment seg1, whose `unknownMachines` is as given. */
  static async make<Store extends StateStore>(
    store: Store,
    unknownMachines?: Parameters<typeof sampleSegment>[2],
  ): Promise<LifeUnderTest<Store>> {
    const edges = new Edges(store, 'key');
    for (const edge of EDGES) await edges.add(edge, new Date(0));
    await store.commit({ put: { 'segments/seg1': sampleSegment(1, 'edge1', unknownMachines) } });
    return new LifeUnderTest(store);
  }

  pass(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1000);
  }

  /** A record with the next number of its edge, to be sent now or later, once or twice. */
  record(told: Told, edge: (typeof EDGES)[number] = 'edge1'): JournalRecord {
    const seq = (this.#seqs.get(edge) ?? 0) + 1;
    this.#seqs.set(edge, seq);
    const detail = `${told.stage} of epoch ${told.epoch ?? told.spentEpoch ?? '-'}`;
    return { mac: LIFE_MAC, ...told, seq, at: this.now.toISOString(), detail };
  }

  send(records: readonly JournalRecord[], edge: (typeof EDGES)[number] = 'edge1'): Promise<number> {
    return takeJournal(this.store, edge, records, this.now);
  }

  async tell(...told: readonly Told[]): Promise<void> {
    for (const each of told) await this.send([this.record(each)]);
  }

  give(intent: Intent, mac = LIFE_MAC): Promise<Machine> {
    return this.machines.setIntent(mac, intent, { at: this.now });
  }

  inspect(mac = LIFE_MAC): Promise<void> {
    return this.inspections.take(
      'edge1',
      {
        mac,
        segment: 'seg1',
        inspection: {
          format: 1,
          takenAt: this.now.toISOString(),
          firmware: 'uefi',
          bootOrder: [],
          system: {},
          processors: { sockets: 1, cores: 1, threads: 1 },
          memory: { totalBytes: 1, modules: [] },
          disks: [],
          cards: [],
          pci: [],
        },
      },
      this.now,
    );
  }

  /** Undefined where nobody has heard of it yet. */
  async machine(mac = LIFE_MAC): Promise<Machine | undefined> {
    return (await this.machines.list()).find(({ macs }) => macs.includes(mac));
  }

  /** The states that it went through, and who moved it. */
  async path(mac = LIFE_MAC): Promise<string[]> {
    return (await this.history(mac)).map(({ to, by, cause }) =>
      [to, by, ...(cause ? [cause] : [])].join(' '),
    );
  }

  /** Oldest first. */
  async history(mac = LIFE_MAC): Promise<MachineMove[]> {
    return (await this.machine(mac)) ? (await this.lives.history(mac)).reverse() : [];
  }
}

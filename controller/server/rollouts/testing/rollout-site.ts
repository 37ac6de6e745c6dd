import {
  endpoints,
  type JournalRecord,
  type Machine,
  type RolloutOrder,
} from '@bootswarm/controller/contract';
import type { Artefact } from '@bootswarm/images/format';
import type { z } from 'zod';
import { releaseKey } from '../../catalogue/release-uses.ts';
import { takeJournal } from '../../machines/journal.ts';
import { MachineDraft } from '../../machines/machine-draft.ts';
import { makeServices, type Services } from '../../services.ts';
import type { StateStore } from '../../store/state-store.ts';
import { sampleRelease, sampleSegment } from '../../testing/samples.ts';
import type { ErrandEnd } from '../planner/index.ts';
import type { PowerHands } from '../power-hands.ts';

/** Restarts machines at once, and counts what was ordered: an order is kept by machine and moment, as BMCs' desk does. */
export class FakeHands implements PowerHands {
  readonly orders: string[] = [];
  readonly #kept = new Set<string>();

  async restart({ id }: Machine, since: string): Promise<ErrandEnd> {
    const key = `${id} ${since}`;
    if (!this.#kept.has(key)) this.orders.push(id);
    this.#kept.add(key);
    return { ok: true };
  }
}

const OLD = '1.0';
const NEW = '2.0';

/** Machines that ran release 1.0 live, and a controller over a store; edges and agents are played. */
export class RolloutSite {
  readonly store: StateStore;
  readonly machines: readonly string[];
  readonly hands: FakeHands;
  services: Services;
  #seq = 0;

  private constructor(store: StateStore, services: Services, machines: readonly string[], hands: FakeHands) {
    this.store = store;
    this.services = services;
    this.machines = machines;
    this.hands = hands;
  }

  static async make(store: StateStore, data: string, count = 6): Promise<RolloutSite> {
    const hands = new FakeHands();
    const services = await RolloutSite.#open(store, data, hands);
    const ready: string[] = [];
    for (const version of [OLD, NEW]) {
      const { manifest } = await sampleRelease(version);
      const put = {
        [releaseKey(`minimal/${version}/amd64`)]: { manifest, publishedAt: new Date().toISOString() },
      };
      await store.commit({ put });
      ready.push(...manifest.artefacts.map(({ sha256 }: Artefact) => sha256));
    }
    await services.edges.add('edge1', new Date());
    const now = new Date().toISOString();
    const edge = { name: 'edge1', journalSeq: 0, joinedAt: now, lastSeenAt: now };
    const status = { revision: 1, addresses: [], ready, waiting: [] };
    await store.commit({ put: { 'edges/edge1': { ...edge, status } } });
    await services.segments.add(sampleSegment(1, 'edge1'));
    const machines: string[] = [];
    const site = new RolloutSite(store, services, machines, hands);
    for (let n = 0; n < count; n++) {
      const mac = `52:54:00:00:00:${(16 + n).toString(16)}`;
      const machine = await services.machines.setIntent(mac, {
        kind: 'live',
        release: `minimal/${OLD}/amd64`,
      });
      machines.push(machine.id);
      await site.tell(machine.id, { stage: 'offer' });
    }
    machines.sort();
    return site;
  }

  static #open(store: StateStore, data: string, hands: PowerHands): Promise<Services> {
    return makeServices(store, undefined as never, {
      data,
      // Edges of these tests are never late.
      rollouts: { commands: data, hands, pace: { settleMs: 0, listenMs: 0 } },
      webhookNetworks: ['127.0.0.0/8'],
    });
  }

  /** Another controller in the place of the one that was killed: it knows nothing but the store. */
  async restart(data: string, store: StateStore = this.store): Promise<void> {
    this.services = await RolloutSite.#open(store, data, this.hands);
    await this.services.rolloutDesk.start(60_000);
  }

  order(changes: Partial<z.input<typeof RolloutOrder>> = {}): RolloutOrder {
    return endpoints.startRollout.body.parse({
      name: 'spring',
      release: `minimal/${NEW}/amd64`,
      match: 'segment=seg1',
      power: 'none',
      ...changes,
    });
  }

  /** What the edge says of a machine. */
  async tell(id: string, record: Partial<JournalRecord>): Promise<void> {
    const machine = await this.machine(id);
    this.#seq += 1;
    await takeJournal(this.store, 'edge1', [
      {
        seq: this.#seq,
        at: new Date().toISOString(),
        stage: 'script',
        mac: machine.macs[0] ?? '',
        segment: 'seg1',
        netboot: true,
        detail: 'played',
        ...record,
      },
    ]);
  }

  /** It boots what it is told, as far as its edge sees. */
  async boot(id: string): Promise<void> {
    await this.tell(id, { stage: 'script' });
    await this.tell(id, { stage: 'root' });
  }

  async machine(id: string): Promise<Machine> {
    const found = await new MachineDraft(this.store).machine(id);
    if (!found) throw new Error(`no machine ${id}`);
    return found;
  }

  async steps(name = 'spring'): Promise<Readonly<Record<string, string>>> {
    const { machines } = await this.services.rollouts.machines(name, { after: '', limit: 1000 });
    return Object.fromEntries(machines.map(({ machine, step }) => [machine, step]));
  }
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Edge, type Intent, Machine } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { machineKey } from '../machines/keys.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { sampleSegment } from '../testing/samples.ts';
import { desiredStateOf, type Fleet } from './desired-state.ts';
import { EDGES_PREFIX, edgeKey } from './edges.ts';
import { FleetView } from './fleet-view.ts';

const SEEN = '2026-03-02T08:00:00.000Z';
const NAMES = ['edge1', 'edge2'] as const;
const INTENTS: readonly (Intent | undefined)[] = [undefined, { kind: 'inspect' }, { kind: 'menu' }];

/** A store, all of it as a fleet, and how often that was read. */
class Catalogue {
  readonly store = new MemoryStore();
  reads = 0;

  readonly readFleet = async (): Promise<Fleet> => {
    this.reads += 1;
    return this.whole();
  };

  async whole(): Promise<Fleet> {
    const [machines, edges, segments] = await Promise.all(
      ['machines/', EDGES_PREFIX, 'segments/'].map((prefix) => this.store.list(prefix)),
    );
    return {
      segments: (segments ?? []).map(({ value }) =>
        sampleSegment(value as number, 'edge1', { edges: [...NAMES] }),
      ),
      policy: { options: {}, classes: [] },
      edges: (edges ?? []).map(({ value }) => Edge.parse(value)),
      machines: (machines ?? []).map(({ value }) => Machine.parse(value)),
      manifests: [],
      channels: [],
      trustRoot: undefined,
    };
  }
}

function machine(n: number, intent: Intent | undefined, lastSeenAt: string): Machine {
  return {
    id: `m-${n}`,
    macs: [`52:54:00:00:00:0${n}`],
    ...(intent === undefined ? {} : { intent }),
    lastSeenAt,
  };
}

/** What edges are told, whatever the order in which machines stand in it. */
function told(fleet: Fleet): unknown {
  return NAMES.map((edge) => {
    const { machines, fellows, ...rest } = desiredStateOf(edge, fleet);
    return {
      ...rest,
      fellows: fellows.toSorted(),
      machines: machines.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    };
  });
}

describe('the view of the fleet that edges are told of', () => {
  test('is the store, whatever is committed between two looks, and has another version whenever edges are told otherwise', async () => {
    const instant = fc.integer({ min: 0, max: 9 }).map((n) => `2026-03-02T08:00:00.00${n}Z`);
    const step = fc.oneof(
      fc
        .record({ n: fc.nat(3), intent: fc.constantFrom(...INTENTS), at: instant })
        .map(({ n, intent, at }) => ({
          put: { [machineKey(`m-${n}`)]: machine(n, intent, at) },
        })),
      fc.nat(3).map((n) => ({ remove: [machineKey(`m-${n}`)] })),
      fc
        .record({ name: fc.constantFrom(...NAMES), seq: fc.nat(9), last: fc.nat(2) })
        .map(({ name, seq, last }) => ({
          put: {
            [edgeKey(name)]: {
              ...{ name, journalSeq: seq },
              status: { revision: seq, addresses: [`10.0.0.${last}`], ready: [], waiting: [] },
            },
          },
        })),
      fc.nat(2).map((n) => ({ put: { [`segments/${n}`]: n } })),
      fc.nat(2).map((n) => ({ remove: [`segments/${n}`] })),
      fc.nat(9).map((n) => ({ put: { 'machine-records/m-1/0001': n } })),
      fc.constant('look' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const catalogue = new Catalogue();
        const view = new FleetView(catalogue.store, catalogue.readFleet);
        let before: { readonly version: number; readonly told: string } | undefined;
        for (const each of [...steps, 'look' as const]) {
          if (each !== 'look') {
            await catalogue.store.commit(each);
            continue;
          }
          const { version, fleet } = await view.current();
          const now = told(fleet);
          assert.deepEqual(now, told(await catalogue.whole()));
          const text = JSON.stringify(now);
          if (before && before.told !== text) assert.ok(version > before.version);
          before = { version, told: text };
        }
      }),
    );
  });

  test('is not read anew for records, nor for what edges and machines say of themselves', async () => {
    const catalogue = new Catalogue();
    const { store } = catalogue;
    const edge = { name: 'edge1', journalSeq: 0 };
    await store.commit({
      put: { [edgeKey('edge1')]: edge, [machineKey('m-1')]: machine(1, { kind: 'menu' }, SEEN) },
    });
    const view = new FleetView(store, catalogue.readFleet);
    const { version } = await view.current();
    let heard = 0;
    const stop = view.watch(() => {
      heard += 1;
    });
    await store.commit({
      put: { 'machine-records/m-1/0001': 1, [edgeKey('edge1')]: { ...edge, journalSeq: 7 } },
    });
    await store.commit({ put: { [machineKey('m-2')]: machine(2, undefined, SEEN) } });
    assert.deepEqual([(await view.current()).version, catalogue.reads], [version, 1]);
    await store.commit({ put: { [machineKey('m-2')]: machine(2, { kind: 'menu' }, SEEN) } });
    assert.deepEqual([(await view.current()).version, catalogue.reads], [version + 1, 1]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, 1);
    stop();
    await store.commit({ put: { 'segments/1': 1 } });
    assert.deepEqual([(await view.current()).version, catalogue.reads], [version + 2, 2]);
    assert.equal(heard, 1);
  });
});

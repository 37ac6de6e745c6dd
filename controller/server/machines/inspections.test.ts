import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SentInspection } from '@bootswarm/controller/contract';
import { MemoryStore } from '../store/memory-store.ts';
import { Inspections } from './inspections.ts';
import { Machines } from './machines.ts';
import { MachineRules } from './rules.ts';

const MAC = '52:54:00:00:00:01';
const now = new Date('2026-01-02T00:00:00.000Z');
const sent = (n: number, facts: Partial<SentInspection> = {}): SentInspection => ({
  mac: MAC,
  segment: 'lab',
  inspection: {
    format: 1,
    takenAt: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString(),
    firmware: 'bios',
    bootOrder: [],
    system: {},
    processors: { sockets: 1, cores: 1, threads: 1 },
    memory: { totalBytes: n, modules: [] },
    disks: [],
    cards: [],
    pci: [],
  },
  ...facts,
});

function make(): { readonly inspections: Inspections; readonly machines: Machines } {
  const store = new MemoryStore();
  return {
    inspections: new Inspections(store, new MachineRules(store)),
    machines: new Machines(store, async () => ({})),
  };
}

describe('inspections', () => {
  test('are kept with their number, under the machine that they are of', async () => {
    const { inspections, machines } = make();
    const { id } = await machines.setIntent(MAC, { kind: 'inspect' });
    await inspections.take('edge1', sent(1), now);
    await inspections.take('edge2', sent(2), now);
    assert.deepEqual(await inspections.list(id), [
      { number: 1, receivedAt: now.toISOString(), edge: 'edge1', takenAt: sent(1).inspection.takenAt },
      { number: 2, receivedAt: now.toISOString(), edge: 'edge2', takenAt: sent(2).inspection.takenAt },
    ]);
    assert.equal((await inspections.show(MAC, 2)).inspection.memory.totalBytes, 2);
    assert.equal((await machines.list()).length, 1);
  });

  test('that come twice are kept once', async () => {
    const { inspections } = make();
    for (const n of [1, 2, 1, 2, 2]) await inspections.take('edge1', sent(n), now);
    assert.deepEqual(
      (await inspections.list(MAC)).map(({ number }) => number),
      [1, 2],
    );
  });

  test('of a machine that nobody knew make it known', async () => {
    const { inspections, machines } = make();
    await inspections.take('edge1', sent(1, { uuid: '11111111-2222-3333-4444-555555555555' }), now);
    const [machine] = await machines.list();
    assert.deepEqual([machine?.macs, machine?.segment], [[MAC], 'lab']);
  });

  test('are the last twenty of each machine', async () => {
    const { inspections } = make();
    for (let n = 1; n <= 25; n++) await inspections.take('edge1', sent(n), now);
    await inspections.take('edge1', sent(1, { mac: '52:54:00:00:00:02' }), now);
    const kept = await inspections.list(MAC);
    assert.deepEqual([kept.length, kept.at(0)?.number, kept.at(-1)?.number], [20, 6, 25]);
    assert.equal((await inspections.list('52:54:00:00:00:02')).length, 1);
    await assert.rejects(inspections.show(MAC, 5), { code: 'inspection_none' });
  });

  test('of two that come at once none is lost', async () => {
    const { inspections } = make();
    await Promise.all([1, 2, 3, 4].map((n) => inspections.take('edge1', sent(n), now)));
    assert.deepEqual(
      (await inspections.list(MAC)).map(({ number }) => number),
      [1, 2, 3, 4],
    );
  });

  test('of a machine that is not there are none', async () => {
    const { inspections } = make();
    await assert.rejects(inspections.list('52:54:00:00:00:09'), { code: 'not_found' });
  });
});

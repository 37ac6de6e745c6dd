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

const disk = {
  ...{ name: 'sda', sizeBytes: 1000, sectorBytes: 512 as const, byPath: [], holds: [] },
  ...{ isRotational: false, isRemovable: false, isReadOnly: false, isBusy: false },
};

function make() {
  const store = new MemoryStore();
  return {
    store,
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

  test('update what a machine has in it and give it what rules say', async () => {
    const { store, inspections, machines } = make();
    const rules = new MachineRules(store);
    await inspections.take('edge1', sent(5), now);
    await rules.replace('small', { name: 'small', match: 'memory<8', set: { class: 'small' } });
    assert.deepEqual(
      [(await machines.show(MAC)).class, (await machines.show(MAC)).properties?.memoryBytes],
      ['small', 5],
    );
    await inspections.take('edge1', sent(9), now);
    assert.deepEqual(
      [(await machines.show(MAC)).class, (await machines.show(MAC)).properties?.memoryBytes],
      [undefined, 9],
    );
    await inspections.take('edge1', sent(7), now);
    assert.equal((await machines.show(MAC)).class, 'small');
    await rules.remove('small');
    assert.equal((await machines.show(MAC)).class, undefined);
    await assert.rejects(rules.remove('small'), { code: 'not_found' });
  });

  test('mark a machine whose hardware changed, until it is accepted or as it was', async () => {
    const { inspections, machines } = make();
    const withDisk = (n: number, serial: string): SentInspection => ({
      ...sent(n),
      inspection: { ...sent(n).inspection, disks: [{ ...disk, serial }] },
    });
    const mark = async () => (await machines.show(MAC)).hardwareChanged;
    await assert.rejects(inspections.acceptHardware(MAC), { code: 'not_found' });
    await inspections.take('edge1', withDisk(1, 'A'), now);
    await inspections.take('edge1', withDisk(2, 'A'), now);
    assert.equal(await mark(), undefined);
    await inspections.take('edge1', withDisk(3, 'B'), now);
    await inspections.take('edge1', withDisk(4, 'B'), new Date(now.getTime() + 1000));
    assert.equal((await mark())?.since, now.toISOString(), 'since it was found first');
    assert.deepEqual((await mark())?.changes[0], { where: 'disks A / serial', before: 'A' });
    await inspections.take('edge1', withDisk(5, 'A'), now);
    assert.equal(await mark(), undefined, 'it is as it was');
    await inspections.take('edge1', withDisk(6, 'B'), now);
    await inspections.acceptHardware(MAC);
    assert.equal(await mark(), undefined);
    await inspections.take('edge1', withDisk(7, 'B'), now);
    assert.equal(await mark(), undefined);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Disk, type DiskPlan, isRefusal, type Refusal } from '@bootswarm/images/install';
import type { FoundDisk } from '../inspect/collect-disks.ts';
import { begunDisks, isSamePlan, planMachine } from './plan-machine.ts';
import { disk, mirror, one, orderOf } from './testing/new-machine.ts';

const raid: Disk['holds'][number] = { kind: 'raid', where: 'vda2', detail: 'linux_raid_member any:root' };
const mark: Disk['holds'][number] = { kind: 'data-mark', where: 'vda3', detail: 'bootswarm-keep-db' };

function planned(found: readonly FoundDisk[], layout: object = one, epoch = 1): DiskPlan | Refusal {
  return planMachine({ firmware: 'bios', found, order: { ...orderOf({}, layout), epoch }, imageBytes: 0 });
}

function accepted(plan: DiskPlan | Refusal): DiskPlan {
  assert.ok(!isRefusal(plan), isRefusal(plan) ? plan.message : '');
  return plan;
}

const found = (name: string, serial: string, change: Partial<Disk> = {}, tableUuid?: string): FoundDisk => ({
  disk: disk({ name, serial, ...change }),
  tableUuid,
});

describe('a plan on the machine', () => {
  const [first = '', second = ''] = accepted(
    planned([found('vda', 'A'), found('vdb', 'B')], mirror),
  ).disks.map(({ tableUuid }) => tableUuid);

  test('takes what a try of the same installation left behind for nobody’s', () => {
    const left = [found('vda', 'A', { holds: [raid] }, first), found('vdb', 'B', { holds: [raid] }, second)];
    assert.deepEqual(accepted(planned(left, mirror)).erases, []);
  });

  const refused: readonly (readonly [name: string, disks: readonly FoundDisk[], epoch: number])[] = [
    ['another installation', [found('vda', 'A', { holds: [raid] }, first), found('vdb', 'B', {}, second)], 2],
    ['somebody', [found('vda', 'A', { holds: [raid] }, 'aaaa'), found('vdb', 'B', {}, second)], 1],
    ['the other half', [found('vda', 'A', { holds: [raid] }, second), found('vdb', 'B', {}, first)], 1],
    [
      'whoever marked it after that installation',
      [found('vda', 'A', { holds: [raid, mark] }, first), found('vdb', 'B', {}, second)],
      1,
    ],
    ['whoever writes no table', [found('vda', 'A', { holds: [raid] }), found('vdb', 'B')], 1],
  ];
  for (const [name, disks, epoch] of refused)
    test(`refuses a disk that holds data of ${name}`, () => {
      const plan = planned(disks, mirror, epoch);
      assert.equal(isRefusal(plan) && plan.refused, 'disk_holds_data');
    });

  test('tells which of its disks it has begun before, whatever is on them', () => {
    const names = (disks: readonly FoundDisk[]): readonly string[] =>
      begunDisks({ firmware: 'bios', found: disks, order: orderOf({}, one), imageBytes: 0 }).map(
        ({ disk: { name } }) => name,
      );
    const [own = ''] = accepted(planned([found('vda', 'A')])).disks.map(({ tableUuid }) => tableUuid);
    assert.deepEqual(names([found('vda', 'A', { holds: [raid] }, own), found('vdb', 'B', {}, own)]), ['vda']);
    assert.deepEqual(names([found('vda', 'A', {}, 'aaaa'), found('vdb', 'B')]), []);
  });

  test('knows the table of an MBR by its first eight digits', () => {
    const left = [found('vda', 'A', { holds: [raid] }, first.slice(0, 8))];
    accepted(planned(left, { ...one, table: 'mbr' }));
  });
});

describe('a plan that is made again', () => {
  const before = accepted(planned([found('vda', 'A'), found('vdb', 'B')]));
  const again: readonly (readonly [name: string, disks: readonly FoundDisk[], isSame: boolean])[] = [
    ['on the same disks', [found('vda', 'A'), found('vdb', 'B')], true],
    ['on disks that the kernel names otherwise', [found('vda', 'B'), found('vdb', 'A')], true],
    ['where somebody mounted what was there', [found('vda', 'A', { holds: [] })], true],
    ['on a disk of another size', [found('vda', 'A', { sizeBytes: 30 * 2 ** 30 })], false],
    ['on a disk with another WWN', [found('vda', 'A', { wwn: '0x5000' })], false],
    ['on a disk in another place', [found('vda', 'A', { byPath: ['pci-1'] })], false],
  ];
  for (const [name, disks, expected] of again)
    test(`${name} is ${expected ? 'the same' : 'another'}`, () => {
      assert.equal(isSamePlan(before, accepted(planned(disks))), expected);
    });

  test('takes the names that the disks have now', () => {
    const now = accepted(planned([found('vda', 'B'), found('vdb', 'A')]));
    assert.deepEqual(
      now.disks.map(({ name }) => name),
      ['vdb'],
    );
  });

  test('is refused where a second disk with the serial number has come', () => {
    const plan = planned([found('vda', 'A'), found('vdb', 'A')]);
    assert.equal(isRefusal(plan) && plan.refused, 'disk_ambiguous');
  });
});

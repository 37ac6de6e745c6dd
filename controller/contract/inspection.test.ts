import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inspection, inspectionChanges } from './inspection.ts';

const inspection = (more: object = {}): Inspection =>
  Inspection.parse({
    format: 1,
    takenAt: '2026-11-21T10:00:00.000Z',
    firmware: 'uefi',
    system: { serial: 'SN-7' },
    processors: { sockets: 1, cores: 4, threads: 8 },
    memory: { totalBytes: 2 ** 34, modules: [{ slot: 'A1', sizeMib: 16_384 }] },
    disks: [
      { name: 'sda', serial: 'D1', sizeBytes: 1000 },
      { name: 'sdb', serial: 'D2', sizeBytes: 2000 },
    ],
    cards: [{ name: 'eth0', mac: '52:54:00:00:00:01', hasLink: true }],
    ...more,
  });

test('the same machine at another time has not changed, whatever the kernel calls its disks', () => {
  const later = inspection({ takenAt: '2026-11-22T10:00:00.000Z' });
  assert.deepEqual(inspectionChanges(inspection(), later), []);
  const [one, two] = inspection().disks;
  const swapped = inspection({ disks: [two, one] });
  assert.deepEqual(inspectionChanges(inspection(), swapped), []);
});

test('what was taken out, put in or replaced is told by what it is', () => {
  const now = inspection({
    disks: [
      { name: 'sda', serial: 'D1', sizeBytes: 1000 },
      { name: 'sdb', serial: 'D3', sizeBytes: 2000 },
    ],
    memory: { totalBytes: 2 ** 33, modules: [{ slot: 'A1', sizeMib: 8192 }] },
    cards: [{ name: 'eth0', mac: '52:54:00:00:00:01', hasLink: false }],
  });
  const changes = inspectionChanges(inspection(), now);
  const told = (where: string): string | undefined => {
    const change = changes.find((each) => each.where === where);
    return change && `${change.before ?? '-'} > ${change.after ?? '-'}`;
  };
  assert.equal(told('disks D2 / sizeBytes'), '2000 > -');
  assert.equal(told('disks D3 / sizeBytes'), '- > 2000');
  assert.equal(told('disks D1 / sizeBytes'), undefined);
  assert.equal(told('memory / modules A1 / sizeMib'), '16384 > 8192');
  assert.equal(told('cards 52:54:00:00:00:01 / hasLink'), 'true > false');
});

test('two things that call themselves the same are both told', () => {
  const twins = inspection({
    memory: {
      totalBytes: 1,
      modules: [
        { slot: 'A', sizeMib: 1 },
        { slot: 'A', sizeMib: 2 },
      ],
    },
  });
  const changes = inspectionChanges(
    inspection({ memory: { totalBytes: 1, modules: [{ slot: 'A', sizeMib: 1 }] } }),
    twins,
  );
  assert.deepEqual(changes, [
    { where: 'memory / modules A (2) / slot', after: 'A' },
    { where: 'memory / modules A (2) / sizeMib', after: '2' },
  ]);
});

test('a report says what is wrong with it', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ firmware: 'coreboot' }, 'firmware'],
    [{ disks: [{ name: 'sda' }] }, 'disks.0.sizeBytes'],
    [{ cards: [{ name: 'eth0', mac: 'x', hasLink: true }] }, 'cards.0.mac'],
    [{ extra: 1 }, ''],
  ];
  for (const [more, field] of cases) {
    const { error } = Inspection.safeParse({ ...inspection(), ...more });
    assert.equal(error?.issues[0]?.path.join('.'), field);
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Inspection } from './inspection.ts';
import { Machine } from './machine.ts';
import { hardwareChanges, hardwareMark, hardwareOf, inspected } from './machine-hardware.ts';
import { plainText } from './machine-traits.ts';

const inspection = (more: object = {}): Inspection =>
  Inspection.parse({
    format: 1,
    takenAt: '2026-11-21T10:00:00.000Z',
    firmware: 'uefi',
    system: {
      serial: 'SN-7',
      manufacturer: 'Maker',
      product: 'R760',
      boardSerial: 'B-1',
      biosVersion: '2.1',
    },
    processors: { sockets: 1, cores: 16, threads: 32, model: 'CPU' },
    memory: { totalBytes: 67_000_000_000, modules: [{ slot: 'A1', sizeMib: 65_536, serial: 'D1' }] },
    disks: [
      { name: 'sda', serial: 'S1', sizeBytes: 1000 },
      { name: 'sdb', serial: 'U1', sizeBytes: 64, isRemovable: true },
    ],
    cards: [
      {
        name: 'eth0',
        mac: '52:54:00:00:00:01',
        hasLink: true,
        neighbours: [{ chassis: '00:11', port: 'xe-0/0/7', systemName: 'leaf1' }],
      },
      { name: 'eth1', mac: '52:54:00:00:00:02', hasLink: false },
    ],
    pci: [
      { address: '1', id: '10de:20b0', class: '030200' },
      { address: '2', id: '8086:1572', class: '020000' },
    ],
    ...more,
  });
const bare: Machine = { id: 'm-1', macs: ['52:54:00:00:00:01'] };

test('an inspection tells what a machine has in it and where its cables end', () => {
  const { properties, location, serial } = inspected(bare, inspection());
  assert.deepEqual(properties, {
    cpus: 32,
    memoryBytes: 64 * 1024 ** 3,
    diskBytes: 1000,
    disks: 1,
    firmware: 'uefi',
    manufacturer: 'Maker',
    product: 'R760',
    processor: 'CPU',
    biosVersion: '2.1',
    accelerators: ['10de:20b0'],
  });
  assert.deepEqual(location?.links, [{ mac: '52:54:00:00:00:01', switch: 'leaf1', port: 'xe-0/0/7' }]);
  assert.equal(serial, 'SN-7');
});

test('what was registered stays, and a cable that was pulled goes', () => {
  const registered: Machine = {
    ...bare,
    location: { rack: 'r1', position: '7' },
    properties: { architecture: 'arm64' },
  };
  const found = inspected(registered, inspection());
  assert.deepEqual([found.location?.rack, found.properties?.architecture], ['r1', 'arm64']);
  const pulled = inspected(found, inspection({ cards: [] }));
  assert.deepEqual(pulled.location, { rack: 'r1', position: '7' });
});

describe('hardware', () => {
  const accepted = hardwareOf(inspection());
  const same: readonly (readonly [string, object])[] = [
    [
      'another time and other names',
      { takenAt: '2026-12-01T00:00:00.000Z', disks: [{ name: 'nvme0n1', serial: 'S1', sizeBytes: 1000 }] },
    ],
    [
      'what is on a disk',
      {
        disks: [
          {
            name: 'sda',
            serial: 'S1',
            sizeBytes: 1000,
            isBusy: true,
            holds: [{ kind: 'swap', where: 'sda1' }],
          },
        ],
      },
    ],
    [
      'a link that is down, and another neighbour',
      { cards: inspection().cards.map((card) => ({ ...card, hasLink: false, neighbours: [] })) },
    ],
    ['a stick that was pulled out', { disks: [{ name: 'sda', serial: 'S1', sizeBytes: 1000 }] }],
    [
      'what the kernel has left of the memory',
      { memory: { totalBytes: 1, modules: inspection().memory.modules } },
    ],
    ['another firmware', { system: { ...inspection().system, biosVersion: '3.0' } }],
  ];
  for (const [what, more] of same)
    test(`is the same after ${what}`, () => {
      assert.deepEqual(hardwareChanges(accepted, inspection(more)), []);
    });

  const other: readonly (readonly [string, object, string])[] = [
    ['another board', { system: { ...inspection().system, boardSerial: 'B-2' } }, 'system / boardSerial'],
    ['another disk', { disks: [{ name: 'sda', serial: 'S2', sizeBytes: 1000 }] }, 'disks S1 / serial'],
    [
      'a module less',
      { memory: { totalBytes: 1, modules: [{ slot: 'A1', sizeMib: 32_768, serial: 'D1' }] } },
      'memory / modules D1 / sizeMib',
    ],
    [
      'another card',
      { cards: [{ name: 'eth0', mac: '52:54:00:00:00:09', hasLink: true }] },
      'cards 52:54:00:00:00:01 / mac',
    ],
  ];
  for (const [what, more, where] of other)
    test(`is told to have changed for ${what}`, () => {
      assert.ok(hardwareChanges(accepted, inspection(more)).some((change) => change.where === where));
    });

  test('that changed in many places is marked with a bound and a count', () => {
    const cards = Array.from({ length: 200 }, (_, n) => ({
      name: `e${n}`,
      mac: `52:54:00:00:01:${n.toString(16).padStart(2, '0')}`,
      hasLink: true,
    }));
    const mark = hardwareMark(hardwareChanges(accepted, inspection({ cards })), '2026-01-01T00:00:00.000Z');
    assert.deepEqual([mark?.changes.length, mark?.count], [50, 202]);
  });
});

test('whatever firmware and switches call themselves, the machine is one that can be kept and shown', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(
      '\u001b]0;owned\u0007',
      '\u001b[2J',
      '\u202etxt.exe',
      '$(reboot)',
      '{{7*7}}',
      '\u009b31m',
      `${'a'.repeat(99)}💣`,
      'a\nb: c',
    ),
  );
  fc.assert(
    fc.property(
      fc.array(hostile, { minLength: 6, maxLength: 6 }),
      ([a = '', b = '', c = '', d = '', e = '', f = '']) => {
        const report = inspection({
          system: { serial: a, manufacturer: b, product: c },
          cards: [
            {
              name: d,
              mac: '52:54:00:00:00:01',
              hasLink: true,
              neighbours: [{ chassis: a, port: e, systemName: f }],
            },
          ],
          disks: [{ name: 'sda', serial: a.slice(0, 200), sizeBytes: 1 }],
        });
        const mark = hardwareMark(
          hardwareChanges(hardwareOf(inspection()), report),
          '2026-01-01T00:00:00.000Z',
        );
        const machine = inspected({ ...bare, ...(mark ? { hardwareChanged: mark } : {}) }, report);
        assert.deepEqual(Machine.parse(machine), machine);
        for (const text of JSON.stringify(machine).match(/"(?:[^"\\]|\\.)*"/g) ?? [])
          assert.doesNotMatch(JSON.parse(text) as string, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
      },
    ),
    { numRuns: 500 },
  );
});

test('what is plain stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const plain = plainText(text);
      assert.equal(plainText(plain), plain);
    }),
  );
  assert.equal(plainText('  Gehäuse 7 \u0000\t'), 'Gehäuse 7');
});

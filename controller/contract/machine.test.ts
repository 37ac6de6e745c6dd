import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchMachine, type Sighting } from './machine.ts';

const [uuidA, uuidB] = ['4c4c4544-0042-3510-8052-b4c04f4a3232', '11111111-2222-3333-4444-555555555555'];
const [macA, macB, dock, macC] = [
  '52:54:00:00:00:0a',
  '52:54:00:00:00:0b',
  '52:54:00:00:00:d0',
  '52:54:00:00:00:0c',
];

const machines = [
  { id: 'a', macs: [macA, dock], uuid: uuidA },
  { id: 'b', macs: [macB], uuid: uuidB },
  { id: 'c, registered by its MAC', macs: [macC] },
];

const cases: readonly (readonly [string, Sighting, string | undefined])[] = [
  ['UUID and MAC of one machine', { mac: macA, uuid: uuidA }, 'a'],
  ['its MAC alone, as DHCP of a bare client has it', { mac: macA }, 'a'],
  ['its UUID behind a new MAC', { mac: '52:54:00:99:99:99', uuid: uuidA }, 'a'],
  ["a's dock, now at b: the UUID wins", { mac: dock, uuid: uuidB }, 'b'],
  [
    "a's dock at an unknown machine is not a",
    { mac: dock, uuid: '99999999-2222-3333-4444-555555555555' },
    undefined,
  ],
  [
    'a UUID for a machine that was known by its MAC alone',
    { mac: macC, uuid: '99999999-2222-3333-4444-555555555555' },
    'c, registered by its MAC',
  ],
  ['all zeros tell nobody apart', { mac: macA, uuid: '00000000-0000-0000-0000-000000000000' }, 'a'],
  ['all ones tell nobody apart', { mac: macB, uuid: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }, 'b'],
  [
    "a vendor's placeholder tells nobody apart",
    { mac: macB, uuid: '03000200-0400-0500-0006-000700080009' },
    'b',
  ],
  ['nobody', { mac: '52:54:00:99:99:99' }, undefined],
];

for (const [what, sighting, wanted] of cases)
  for (const order of [machines, machines.toReversed()])
    test(`${what}${order === machines ? '' : ', in any order'}`, () => {
      assert.equal(matchMachine(order, sighting)?.id, wanted);
    });

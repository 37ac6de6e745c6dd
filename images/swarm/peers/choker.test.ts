import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseSlots, type SlotTaker } from './choker.ts';

const peer = (key: number, overrides: Partial<SlotTaker> = {}): SlotTaker => ({
  key,
  isInterested: true,
  isUnchoked: false,
  sinceMs: 5000,
  takenBytes: 0,
  held: 0,
  ...overrides,
});
const holder = (key: number, overrides: Partial<SlotTaker> = {}): SlotTaker =>
  peer(key, { isUnchoked: true, takenBytes: 1000, ...overrides });

describe('slots go to', () => {
  const cases: readonly (readonly [string, readonly SlotTaker[], number, readonly number[]])[] = [
    [
      'everyone who wants anything, while there are enough',
      [peer(1), peer(2, { isInterested: false }), holder(3)],
      2,
      [1, 3],
    ],
    ['nobody where nobody wants anything', [peer(1, { isInterested: false })], 2, []],
    [
      'the half that takes most, and those that wait',
      [
        holder(1, { takenBytes: 5 }),
        holder(2, { takenBytes: 9 }),
        holder(3, { takenBytes: 1 }),
        holder(4, { takenBytes: 7 }),
        peer(5),
        peer(6),
      ],
      4,
      [2, 4, 5, 6],
    ],
    [
      'whoever has fewest pieces, then whoever waited longest',
      [holder(1), peer(2, { held: 5 }), peer(3, { held: 3, sinceMs: 1 }), peer(4, { held: 3, sinceMs: 9 })],
      2,
      [1, 4],
    ],
    ['not one that takes nothing, while another waits', [holder(1, { takenBytes: 0 }), peer(2)], 1, [2]],
    ['one that has it for less than a second', [holder(1, { takenBytes: 0, sinceMs: 500 }), peer(2)], 1, [1]],
    ['one that has it, where nobody waits longer than it did', [holder(1), holder(2)], 2, [1, 2]],
  ];
  for (const [name, peers, slots, wanted] of cases)
    test(name, () => assert.deepEqual([...chooseSlots(peers, slots)].toSorted(), wanted));
});

test('in turn everyone gets a slot', () => {
  const [slots, count] = [3, 12];
  const state = Array.from({ length: count }, (_, key) => ({ key, isUnchoked: false, since: 0, took: 0 }));
  for (let nowMs = 1000; nowMs <= 12_000; nowMs += 1000) {
    const chosen = chooseSlots(
      state.map(({ key, isUnchoked, since }) =>
        peer(key, { isUnchoked, sinceMs: nowMs - since, takenBytes: isUnchoked ? 1000 - key : 0 }),
      ),
      slots,
    );
    assert.equal(chosen.size, slots);
    for (const each of state) {
      const isChosen = chosen.has(each.key);
      if (isChosen !== each.isUnchoked) each.since = nowMs;
      each.isUnchoked = isChosen;
      each.took += isChosen ? 1 : 0;
    }
  }
  assert.ok(
    state.every(({ took }) => took > 0),
    JSON.stringify(state),
  );
});

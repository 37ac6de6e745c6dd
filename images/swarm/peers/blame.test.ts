import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Blame, MixedPieces } from './blame.ts';
import { UNIT_BYTES } from './started-piece.ts';

describe('an address is banned', () => {
  const cases: readonly (readonly [
    string,
    readonly (readonly [piece: string, alone: boolean])[],
    boolean,
  ])[] = [
    ['not for one wrong piece', [['a:1', true]], false],
    [
      'not for two different ones',
      [
        ['a:1', true],
        ['a:2', true],
      ],
      false,
    ],
    [
      'for three',
      [
        ['a:1', true],
        ['a:2', true],
        ['a:3', true],
      ],
      true,
    ],
    [
      'for the same one twice, where it alone gave it',
      [
        ['a:1', true],
        ['a:1', true],
      ],
      true,
    ],
    [
      'not for its part in the same mix twice',
      [
        ['a:1', false],
        ['a:1', false],
      ],
      false,
    ],
    [
      'for its part in three mixes',
      [
        ['a:1', false],
        ['a:2', false],
        ['a:3', false],
      ],
      true,
    ],
    [
      'not for the same place in another swarm',
      [
        ['a:1', true],
        ['b:1', true],
      ],
      false,
    ],
  ];
  for (const [name, strikes, isBanned] of cases)
    test(name, () => {
      const blame = new Blame();
      for (const [piece, alone] of strikes) blame.strike('10.0.0.1', piece, alone);
      assert.equal(blame.isBanned('10.0.0.1'), isBanned);
      assert.equal(blame.isBanned('10.0.0.2'), false);
      assert.deepEqual(blame.banned, isBanned ? ['10.0.0.1'] : []);
    });
});

test('an address that is suspected of a mix is banned for the second that is its fault beyond doubt', () => {
  const blame = new Blame();
  assert.equal(blame.hasLied('10.0.0.1'), false);
  blame.strike('10.0.0.1', 'a:1', true, true);
  assert.deepEqual([blame.hasLied('10.0.0.1'), blame.isBanned('10.0.0.1')], [true, false]);
  blame.strike('10.0.0.1', 'a:2', true, true);
  assert.equal(blame.isBanned('10.0.0.1'), true);
});

test('of more addresses than a segment has, those with the oldest strikes are forgotten', () => {
  const blame = new Blame();
  for (let host = 0; host < 20_000; host++) blame.strike(`10.0.${host >> 8}.${host & 255}`, 'a:1', true);
  blame.strike('10.0.0.0', 'a:1', true);
  assert.equal(blame.isBanned('10.0.0.0'), false);
  blame.strike('10.0.78.31', 'a:1', true);
  assert.equal(blame.isBanned('10.0.78.31'), true);
});

describe('a mix that was wrong', () => {
  const right = Buffer.alloc(4 * UNIT_BYTES + 100, 7);
  const wrongAt = (...units: number[]): Buffer => {
    const bytes = Buffer.from(right);
    for (const unit of units) bytes[unit * UNIT_BYTES] = 8;
    return bytes;
  };
  const givers = ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.3', '10.0.0.2'];

  test('tells by the right piece who gave the wrong units, each once', () => {
    const mixed = new MixedPieces();
    mixed.keep(3, wrongAt(0, 2), givers);
    assert.deepEqual(mixed.liars(3, right), ['10.0.0.1']);
    mixed.keep(3, wrongAt(3, 4), givers);
    assert.deepEqual(mixed.liars(3, right), ['10.0.0.3', '10.0.0.2']);
  });

  test('is forgotten then', () => {
    const mixed = new MixedPieces();
    mixed.keep(3, wrongAt(0), givers);
    mixed.liars(3, right);
    assert.deepEqual(mixed.liars(3, right), []);
    assert.deepEqual(mixed.liars(4, right), []);
  });

  test('makes those suspect that gave a part of it, until the right piece is there', () => {
    const mixed = new MixedPieces();
    mixed.keep(3, wrongAt(0), givers);
    assert.deepEqual(
      ['10.0.0.1', '10.0.0.3', '10.0.0.4'].map((address) => mixed.isSuspect(address)),
      [true, true, false],
    );
    mixed.liars(3, right);
    assert.equal(mixed.isSuspect('10.0.0.1'), false);
  });

  test('and a part of another try of it both tell; what nobody gave tells nothing', () => {
    const mixed = new MixedPieces();
    mixed.keep(3, wrongAt(0), givers);
    mixed.keep(3, wrongAt(0, 1, 2, 3, 4), ['10.0.0.1', '', '', '', '']);
    assert.deepEqual(mixed.liars(3, right), ['10.0.0.1', '10.0.0.1']);
  });

  test('is kept of few pieces', () => {
    const mixed = new MixedPieces();
    const kept = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => mixed.keep(index, wrongAt(0), givers));
    assert.deepEqual(kept, [true, true, true, true, true, true, true, true, false]);
    assert.equal(mixed.keep(4, wrongAt(1), givers), true);
  });
});

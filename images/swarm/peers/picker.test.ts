import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Picker, type PickerPeer } from './picker.ts';
import { PieceSet } from './piece-set.ts';

const KIB = 1024;
const ANY = { mayRepeat: false, mayDuplicate: false };
const LAST = { mayRepeat: true, mayDuplicate: true };

/** Numbers that look like chance and are the same each time. */
function dice(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

interface Table {
  readonly pieces?: number;
  readonly pieceBytes?: number;
  readonly lastBytes?: number;
  readonly mostStarted?: number;
}

function pickerOf({
  pieces = 8,
  pieceBytes = 64 * KIB,
  lastBytes = pieceBytes,
  mostStarted = 100,
}: Table = {}): Picker {
  const length = (pieces - 1) * pieceBytes + lastBytes;
  return new Picker({ length, pieceBytes, have: new PieceSet(pieces), mostStarted, random: dice() });
}

interface PeerTable {
  readonly has?: readonly number[];
  readonly blockBytes?: number;
  readonly isEdge?: boolean;
  readonly isSuspect?: boolean;
  readonly avoids?: readonly number[];
}

/** A peer that is counted by the picker. */
function join(
  picker: Picker,
  key: number,
  { has, blockBytes = 64 * KIB, isEdge = false, isSuspect = false, avoids = [] }: PeerTable = {},
): PickerPeer {
  const pieces = new PieceSet(8);
  for (const index of has ?? [0, 1, 2, 3, 4, 5, 6, 7]) {
    pieces.add(index);
    picker.addAvailable(index, isEdge);
  }
  return { key, pieces, blockBytes, isEdge, isSuspect, avoids: (index) => avoids.includes(index) };
}

function take(picker: Picker, peer: PickerPeer, how = ANY): string | undefined {
  const pick = picker.next(peer, how);
  return (
    pick &&
    `${pick.block.index}:${pick.block.begin / KIB}+${pick.block.length / KIB}${pick.isDuplicate ? ' again' : ''}`
  );
}

describe('which piece', () => {
  test('the rarest first', () => {
    const picker = pickerOf();
    const whole = join(picker, 1);
    join(picker, 2, { has: [0, 1, 2, 3, 4, 6, 7] });
    join(picker, 3, { has: [0, 1, 2, 4, 6, 7] });
    assert.deepEqual([take(picker, whole), take(picker, whole)], ['5:0+64', '3:0+64']);
  });

  test('ties are for chance to decide', () => {
    const firsts = new Set<string | undefined>();
    for (let seed = 1; seed < 40; seed++) {
      const picker = new Picker({
        length: 8 * 64 * KIB,
        pieceBytes: 64 * KIB,
        have: new PieceSet(8),
        mostStarted: 100,
        random: dice(seed * 7919),
      });
      firsts.add(take(picker, join(picker, 1)));
    }
    assert.ok(firsts.size >= 5, `only ${[...firsts].join()}`);
  });

  test('only what the peer has, and nothing that is there', () => {
    const picker = pickerOf();
    const peer = join(picker, 1, { has: [4] });
    assert.equal(take(picker, peer), '4:0+64');
    picker.receive(1, { index: 4, begin: 0, length: 64 * KIB });
    picker.keep(4);
    assert.equal(take(picker, peer), undefined);
    assert.equal(picker.needs(4), false);
    assert.equal(picker.needs(5), true);
  });

  test('two peers are asked for different pieces', () => {
    const picker = pickerOf();
    const [a, b] = [join(picker, 1), join(picker, 2)];
    const asked = [take(picker, a), take(picker, b), take(picker, a), take(picker, b)];
    assert.equal(new Set(asked).size, 4);
  });

  test('no more than may be in memory', () => {
    const picker = pickerOf({ mostStarted: 2 });
    const peer = join(picker, 1);
    assert.ok(take(picker, peer) && take(picker, peer));
    assert.equal(take(picker, peer), undefined);
  });

  test('what a neighbour has is not asked of the edge, unless there is nothing else to do', () => {
    const picker = pickerOf();
    const edge = join(picker, 1, { isEdge: true });
    join(picker, 2, { has: [0, 1, 2, 3, 4, 5, 6] });
    assert.equal(take(picker, edge), '7:0+64');
    assert.equal(take(picker, edge), undefined);
    assert.ok(take(picker, edge, { mayRepeat: true, mayDuplicate: false }));
  });

  test('what was wrong from a peer is asked of others, and of it where there are none', () => {
    const picker = pickerOf();
    const liar = join(picker, 1, { has: [2], avoids: [2] });
    assert.equal(take(picker, liar), '2:0+64');
    const second = pickerOf();
    const avoided = join(second, 1, { has: [2], avoids: [2] });
    join(second, 2, { has: [2] });
    assert.equal(take(second, avoided), undefined);
  });
});

describe('which blocks', () => {
  test('strangers are asked for 16 KiB, our own for the whole piece; the last piece is shorter', () => {
    const picker = pickerOf({ lastBytes: 20 * KIB });
    const stranger = join(picker, 1, { has: [7], blockBytes: 16 * KIB });
    assert.deepEqual([take(picker, stranger), take(picker, stranger)], ['7:0+16', '7:16+4']);
    assert.equal(take(picker, join(picker, 2, { has: [0] })), '0:0+64');
  });

  test('a piece that was begun is asked of the same peer to its end', () => {
    const picker = pickerOf();
    const a = join(picker, 1, { blockBytes: 16 * KIB });
    const b = join(picker, 2, { blockBytes: 16 * KIB });
    const first = take(picker, a)?.split(':')[0];
    const others = take(picker, b)?.split(':')[0];
    assert.notEqual(first, others);
    for (const _ of [1, 2, 3]) assert.equal(take(picker, a)?.split(':')[0], first);
    assert.notEqual(take(picker, a)?.split(':')[0], first);
  });

  test('what a peer was asked for and let go of is asked of another, without what came', () => {
    const picker = pickerOf();
    const a = join(picker, 1, { has: [3], blockBytes: 16 * KIB });
    for (const _ of [1, 2, 3]) take(picker, a);
    picker.receive(1, { index: 3, begin: 0, length: 16 * KIB });
    picker.releaseAll(1);
    assert.equal(take(picker, join(picker, 2, { has: [3] })), '3:16+48');
  });
});

describe('the endgame', () => {
  const begin = () => {
    const picker = pickerOf({ pieces: 8 });
    const slow = join(picker, 1);
    for (let piece = 0; piece < 8; piece++) take(picker, slow);
    return { picker, slow };
  };

  test('what was asked of one is asked of another too, and called back when it came', () => {
    const { picker } = begin();
    const fast = join(picker, 2);
    assert.equal(take(picker, fast), undefined);
    const again = take(picker, fast, LAST);
    assert.match(again ?? '', /again$/);
    const [index] = (again ?? '').split(':').map(Number);
    const needless = picker.receive(2, { index: index as number, begin: 0, length: 64 * KIB });
    assert.deepEqual(needless, [{ peer: 1, block: { index, begin: 0, length: 64 * KIB } }]);
  });

  test('nobody is asked twice for the same, and no more than three are asked', () => {
    const { picker, slow } = begin();
    assert.equal(take(picker, slow, LAST), undefined);
    const asked = [2, 3, 4].map((key) => {
      const peer = join(picker, key, { has: [0] });
      return take(picker, peer, LAST);
    });
    assert.deepEqual(asked, ['0:0+64 again', '0:0+64 again', undefined]);
  });

  test('not while there is a piece that nobody was asked for', () => {
    const picker = pickerOf();
    take(picker, join(picker, 1, { has: [0] }));
    assert.equal(take(picker, join(picker, 2, { has: [0] }), LAST), undefined);
  });
});

describe('a piece that was wrong', () => {
  test('from several: the next try is one peer’s alone, and nothing is kept of one that left', () => {
    const picker = pickerOf();
    const a = join(picker, 1, { has: [5], blockBytes: 16 * KIB });
    take(picker, a);
    picker.reject(5, true);
    take(picker, a);
    picker.receive(1, { index: 5, begin: 0, length: 16 * KIB });
    picker.releaseAll(1);
    const b = join(picker, 2, { has: [5], blockBytes: 16 * KIB });
    assert.equal(take(picker, b), '5:0+16');
    assert.equal(picker.startedPiece(5)?.isSolo, true);
    assert.equal(take(picker, a, LAST), undefined);
  });

  test('from one: anyone may be asked for it', () => {
    const picker = pickerOf();
    const a = join(picker, 1, { has: [5] });
    take(picker, a);
    picker.receive(1, { index: 5, begin: 0, length: 64 * KIB });
    assert.equal(picker.startedPiece(5)?.isComplete, true);
    picker.reject(5, false);
    assert.equal(picker.needs(5), true);
    assert.equal(take(picker, join(picker, 2, { has: [5] })), '5:0+64');
  });
});

describe('of one that may have lied', () => {
  test('a piece is its own alone, and nothing is kept of it when it leaves', () => {
    const picker = pickerOf();
    const suspect = join(picker, 1, { has: [5], blockBytes: 16 * KIB, isSuspect: true });
    take(picker, suspect);
    picker.receive(1, { index: 5, begin: 0, length: 16 * KIB });
    const other = join(picker, 2, { has: [5], blockBytes: 16 * KIB });
    assert.equal(picker.startedPiece(5)?.isSolo, true);
    picker.releaseAll(1);
    assert.equal(take(picker, other), '5:0+16');
  });

  test('nothing is asked that others gave a part of, while it can be of something else', () => {
    const picker = pickerOf();
    const honest = join(picker, 1, { has: [5], blockBytes: 16 * KIB });
    take(picker, honest);
    picker.receive(1, { index: 5, begin: 0, length: 16 * KIB });
    picker.releaseAll(1);
    const suspect = join(picker, 2, { has: [4, 5], isSuspect: true });
    assert.equal(take(picker, suspect), '4:0+64');
    // There is nothing else: it begins anew.
    assert.equal(take(picker, suspect), '5:0+64');
    assert.equal(picker.startedPiece(5)?.isSolo, true);
  });

  test('in the endgame it is asked for nothing that others were asked for, and they for nothing of it', () => {
    const picker = pickerOf({ pieces: 2 });
    const has = [0, 1];
    const [honest, suspect] = [
      join(picker, 1, { has: [0], blockBytes: 16 * KIB }),
      join(picker, 2, { has, blockBytes: 16 * KIB, isSuspect: true }),
    ];
    take(picker, honest);
    assert.match(take(picker, suspect) ?? '', /^1:/);
    const late = join(picker, 3, { has: [1], blockBytes: 16 * KIB });
    assert.equal(picker.isEndgame, true);
    assert.equal(take(picker, late, LAST), undefined);
    while (take(picker, suspect, LAST)?.startsWith('1:'));
    assert.equal(take(picker, suspect, LAST), undefined);
  });
});

test('a piece that becomes one peer’s alone forgets what others gave, and tells what they were asked for', () => {
  const picker = pickerOf();
  const [owner, other] = [
    join(picker, 1, { has: [5], blockBytes: 16 * KIB }),
    join(picker, 2, { has: [5], blockBytes: 16 * KIB }),
  ];
  take(picker, other);
  picker.receive(2, { index: 5, begin: 0, length: 16 * KIB });
  take(picker, other);
  const piece = picker.startedPiece(5);
  assert.ok(piece);
  piece.owner = owner.key;
  assert.equal(piece.isMixed, true);
  assert.deepEqual(piece.becomeSolo(), [{ peer: 2, block: { index: 5, begin: 16 * KIB, length: 16 * KIB } }]);
  assert.equal(piece.isMixed, false);
  assert.deepEqual([take(picker, owner), take(picker, owner)], ['5:0+16', '5:16+16']);
});

describe('a run for HTTP', () => {
  test('pieces that follow one another, up to one that someone else fetches', () => {
    const picker = pickerOf();
    take(picker, join(picker, 1, { has: [6] }));
    const run = picker.nextRun(0, 4);
    const indexes = run.map(({ index }) => index);
    assert.deepEqual(
      indexes,
      Array.from(indexes, (_, place) => (indexes[0] as number) + place),
    );
    assert.ok(!indexes.includes(6) && indexes.length >= 1);
  });

  test('first what was begun and is nobody’s', () => {
    const picker = pickerOf();
    take(picker, join(picker, 1, { has: [6], blockBytes: 16 * KIB }));
    picker.releaseAll(1);
    assert.deepEqual(picker.nextRun(0, 4), [{ index: 6, begin: 0, length: 64 * KIB }]);
  });

  test('in the end what others fetch, for they are no help; none that is complete', () => {
    const picker = pickerOf({ pieces: 2 });
    const peer = join(picker, 1);
    const first = picker.next(peer, ANY)?.block;
    const second = picker.next(peer, ANY)?.block;
    assert.ok(first && second && picker.isEndgame);
    picker.receive(1, first);
    assert.deepEqual(picker.nextRun(0, 4), [{ ...second, begin: 0, length: 64 * KIB }]);
    assert.deepEqual(picker.nextRun(0, 4), []);
    // What comes of it meanwhile is as good.
    assert.equal(picker.startedPiece(second.index)?.isSolo, false);
  });
});

test('it is done when the last piece is kept', () => {
  const picker = pickerOf();
  const peer = join(picker, 1);
  for (let index = 0; index < 8; index++) {
    const pick = picker.next(peer, ANY);
    assert.ok(pick && !picker.isDone);
    picker.receive(1, pick.block);
    picker.keep(pick.block.index);
  }
  assert.equal(picker.isDone, true);
});

test('a pick among 65,536 pieces takes less than a millisecond', () => {
  const have = new PieceSet(65_536);
  const picker = new Picker({
    length: 65_536 * 65_536,
    pieceBytes: 65_536,
    have,
    mostStarted: 1e6,
    random: dice(),
  });
  const pieces = PieceSet.whole(65_536);
  for (let index = 0; index < 65_536; index++) picker.addAvailable(index, false, 1);
  for (let index = 0; index < 65_536; index++) picker.addAvailable(index, false, 1);
  const peer = { key: 1, pieces, blockBytes: 65_536, isEdge: false, isSuspect: false, avoids: () => false };
  const took: number[] = [];
  for (let turn = 0; turn < 200; turn++) {
    const startedAt = performance.now();
    const pick = picker.next(peer, ANY);
    assert.ok(pick);
    picker.receive(1, pick.block);
    picker.keep(pick.block.index);
    took.push(performance.now() - startedAt);
  }
  // The usual one: others tell what else the machine was busy with.
  assert.ok((took.sort((a, b) => a - b)[100] ?? Number.NaN) < 1);
});

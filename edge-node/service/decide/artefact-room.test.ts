import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { expired, sacrificed, type UnwantedArtefact } from './artefact-room.ts';

const HOUR = 3_600_000;
const now = new Date('2026-03-01T12:00:00Z');
const artefact = (sha256: string, bytes: number, hoursAgo: number): UnwantedArtefact => ({
  sha256,
  bytes,
  lastWantedAt: new Date(now.getTime() - hoursAgo * HOUR),
});
const names = (artefacts: readonly UnwantedArtefact[]): string =>
  artefacts.map(({ sha256 }) => sha256).join('');

const held = [artefact('a', 10, 30), artefact('b', 20, 5), artefact('c', 30, 20), artefact('d', 40, 1)];

describe('what nothing wants any more', () => {
  const cases = [
    { name: 'stays for a day', limits: { keepMs: 24 * HOUR, mostBytes: 1000 }, goes: 'a' },
    { name: 'stays where there is room and time', limits: { keepMs: 48 * HOUR, mostBytes: 1000 }, goes: '' },
    {
      name: 'goes, least recently wanted first, where it is too much',
      limits: { keepMs: 48 * HOUR, mostBytes: 70 },
      goes: 'ac',
    },
    { name: 'is too much only by what is young', limits: { keepMs: 24 * HOUR, mostBytes: 60 }, goes: 'ac' },
    {
      name: 'goes altogether where nothing may be kept',
      limits: { keepMs: 48 * HOUR, mostBytes: 0 },
      goes: 'acbd',
    },
  ];
  for (const { name, limits, goes } of cases)
    test(name, () => assert.equal(names(expired(held, now, limits)), goes));
});

describe('room for what is wanted', () => {
  test('is made by the least recently wanted, and by no more of them than it takes', () => {
    assert.equal(names(sacrificed(held, 0)), '');
    assert.equal(names(sacrificed(held, 10)), 'a');
    assert.equal(names(sacrificed(held, 11)), 'ac');
    assert.equal(names(sacrificed(held, 100)), 'acbd');
  });

  test('that cannot be had costs nothing', () => assert.equal(names(sacrificed(held, 101)), ''));

  test('is enough, and would not be with one fewer', () => {
    const some = fc.array(fc.record({ bytes: fc.nat(100), hoursAgo: fc.nat(100) }));
    fc.assert(
      fc.property(some, fc.nat(2000), (each, bytes) => {
        const all = each.map((one, index) => artefact(String(index), one.bytes, one.hoursAgo));
        const gone = sacrificed(all, bytes);
        const sum = gone.reduce((total, one) => total + one.bytes, 0);
        const most = all.reduce((total, one) => total + one.bytes, 0);
        if (bytes === 0 || most < bytes) assert.equal(gone.length, 0);
        else assert.ok(sum >= bytes && sum - (gone.at(-1)?.bytes ?? 0) < bytes);
      }),
    );
  });
});

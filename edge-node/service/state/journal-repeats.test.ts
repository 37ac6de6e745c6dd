import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAC, OTHER_MAC } from '../decide/testing/world.ts';
import { Repeats, type Unnumbered } from './journal-repeats.ts';

const refusal = (changes: Partial<Unnumbered> = {}): Unnumbered => ({
  at: '2026-01-01T00:00:00.000Z',
  stage: 'discover',
  mac: MAC,
  cause: 'pool_exhausted',
  detail: 'no address',
  ...changes,
});

describe('of records that repeat', () => {
  test('the first is written at once, and the others are counted within a minute', () => {
    const repeats = new Repeats();
    assert.deepEqual(repeats.take([refusal()], 0), [refusal()]);
    for (const atMs of [1000, 3000, 7000])
      assert.deepEqual(repeats.take([refusal({ at: `2026-01-01T00:00:0${atMs / 1000}.000Z` })], atMs), []);
    assert.deepEqual(repeats.due(59_999), []);
    const last = refusal({ at: '2026-01-01T00:00:07.000Z', times: 3 });
    assert.deepEqual(repeats.due(60_000), [last]);
  });

  test('whoever goes on is told once a minute, and whoever stopped is forgotten', () => {
    const repeats = new Repeats();
    const written: (number | undefined)[] = [];
    for (let atMs = 0; atMs < 200_000; atMs += 1000) {
      for (const { times } of repeats.due(atMs)) written.push(times);
      for (const { times } of repeats.take([refusal()], atMs)) written.push(times);
    }
    assert.deepEqual(written, [undefined, 59, 60, 60]);
    repeats.due(300_000);
    repeats.due(400_000);
    assert.deepEqual(repeats.take([refusal()], 400_001), [refusal()]);
  });

  test('other machines, stages, causes and details are not the same', () => {
    const others = [
      refusal(),
      refusal({ mac: OTHER_MAC }),
      refusal({ stage: 'lease' }),
      refusal({ cause: 'pool_none' }),
      refusal({ detail: 'another' }),
    ];
    assert.deepEqual(new Repeats().take(others, 0), others);
  });

  test('a transfer makes what comes after it another try', () => {
    const repeats = new Repeats();
    const offer: Unnumbered = {
      at: refusal().at,
      stage: 'offer',
      mac: MAC,
      next: 'firmware',
      detail: 'offer',
    };
    const fetched: Unnumbered = { at: refusal().at, stage: 'firmware', mac: MAC, detail: 'fetched' };
    const boot = [offer, fetched, offer];
    assert.deepEqual(repeats.take(boot, 0), boot);
    const stranger = { ...fetched, mac: OTHER_MAC };
    assert.deepEqual(repeats.take([stranger, offer], 1), [stranger]);
    const brokenOff: Unnumbered = { ...fetched, cause: 'firmware_broken_off', detail: 'timed out' };
    assert.deepEqual(repeats.take([brokenOff, brokenOff, offer], 2), [brokenOff]);
  });

  test('alarms of a segment are counted as well', () => {
    const alarm: Unnumbered = {
      at: refusal().at,
      stage: 'alarm',
      segment: 'rack-7',
      detail: 'a rogue server',
    };
    const elsewhere = { ...alarm, segment: 'rack-8' };
    assert.deepEqual(new Repeats().take([alarm, alarm, elsewhere], 0), [alarm, elsewhere]);
  });

  test('memory is bounded: the oldest are let go with their count', () => {
    const repeats = new Repeats(2);
    const [a, b, c] = ['a', 'b', 'c'].map((detail) => refusal({ detail })) as [
      Unnumbered,
      Unnumbered,
      Unnumbered,
    ];
    assert.deepEqual(repeats.take([a, a, b], 0), [a, b]);
    assert.deepEqual(repeats.take([c], 1), [c, { ...a, times: 1 }]);
    assert.deepEqual(repeats.take([b, c, a], 2), [a, { ...b, times: 1 }]);
  });

  test('the end tells every count', () => {
    const repeats = new Repeats();
    repeats.take([refusal(), refusal(), refusal({ detail: 'once' })], 0);
    assert.deepEqual(repeats.end(), [refusal({ times: 1 })]);
    assert.deepEqual(repeats.end(), []);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Dialer } from './dialer.ts';
import { type Doings, dueOf } from './patience.ts';
import { Rate } from './rate.ts';
import { TokenBucket } from './token-bucket.ts';

describe('a cap', () => {
  test('lets through what it says, over time', () => {
    const bucket = new TokenBucket(1_000_000, 0);
    let bytes = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 5) while (bucket.take(16_384, nowMs)) bytes += 16_384;
    assert.ok(bytes > 9_900_000 && bytes < 10_300_000, String(bytes));
  });

  test('lets a block larger than its burst through, and waits it off', () => {
    const bucket = new TokenBucket(1_000_000, 0);
    assert.equal(bucket.take(1_048_576, 0), true);
    assert.equal(bucket.take(1, 900), false);
    assert.equal(bucket.take(1, 960), true);
  });

  test('that is none lets everything through', () => {
    const bucket = new TokenBucket(undefined, 0);
    for (let turn = 0; turn < 100; turn++) assert.equal(bucket.take(2 ** 40, 0), true);
  });

  test('may change at any time', () => {
    const bucket = new TokenBucket(1000, 0);
    bucket.take(1_000_000, 0);
    assert.equal(bucket.take(1, 100), false);
    bucket.limit(2000, 100);
    assert.equal(bucket.take(200, 100), true);
    assert.equal(bucket.take(1, 100), false);
    bucket.limit(undefined, 100);
    assert.equal(bucket.take(2 ** 40, 100), true);
  });

  test('counts what was given back as not taken', () => {
    const bucket = new TokenBucket(1000, 0);
    bucket.take(1000, 0);
    bucket.giveBack(1000);
    assert.equal(bucket.take(1, 0), true);
  });
});

test('a rate follows what moves, and falls when nothing does', () => {
  const rate = new Rate(0);
  for (let nowMs = 250; nowMs <= 10_000; nowMs += 250) {
    rate.add(250_000);
    rate.tick(nowMs);
  }
  assert.ok(Math.abs(rate.perSecond - 1_000_000) < 1);
  for (let nowMs = 10_250; nowMs <= 20_000; nowMs += 250) rate.tick(nowMs);
  assert.ok(rate.perSecond < 50_000);
  assert.equal(rate.bytes, 10_000_000);
});

describe('what is due about a peer', () => {
  const fine: Doings = {
    ...{ silentMs: 0, unsentMs: 0, unreadBytes: 0, idleMs: 0 },
    ...{ usualMs: 300, owes: false, isSnubbed: false },
  };
  const cases: readonly (readonly [string, Partial<Doings>, readonly string[]])[] = [
    ['nothing', {}, []],
    ['one that said nothing for two minutes is let go', { silentMs: 120_001 }, ['close']],
    ['one that reads nothing is let go', { unreadBytes: 5 * 1024 * 1024 }, ['close']],
    ['one that heard nothing for a minute is told that we are there', { unsentMs: 60_001 }, ['keepalive']],
    ['one that owes blocks for four seconds is passed over', { owes: true, idleMs: 4001 }, ['snub']],
    ['where blocks take three seconds, nine are waited', { owes: true, usualMs: 3000, idleMs: 8999 }, []],
    ['and no longer', { owes: true, usualMs: 3000, idleMs: 9001 }, ['snub']],
    ['where nothing comes at all, fifteen', { owes: true, usualMs: Infinity, idleMs: 15_001 }, ['snub']],
    ['one that owes nothing may be idle', { idleMs: 100_000 }, []],
    ['one that was passed over is asked again later', { isSnubbed: true, idleMs: 15_001 }, ['trust']],
    ['and not sooner', { isSnubbed: true, owes: true, idleMs: 14_000 }, []],
  ];
  for (const [name, doings, due] of cases)
    test(name, () => assert.deepEqual(dueOf({ ...fine, ...doings }), due));
});

describe('whom to connect to', () => {
  const endpoint = { host: '10.0.0.1', port: 6881 };

  test('each once, and again after it failed, later each time', () => {
    const dialer = new Dialer();
    dialer.add(endpoint);
    dialer.add(endpoint);
    assert.deepEqual(dialer.due(10, 0), [endpoint]);
    assert.deepEqual(dialer.due(10, 0), []);
    const waits: number[] = [];
    let nowMs = 0;
    for (let turn = 0; turn < 8; turn++) {
      dialer.over(endpoint, false, nowMs);
      const before = nowMs;
      while (dialer.due(1, nowMs).length === 0) nowMs += 1000;
      waits.push(nowMs - before);
    }
    assert.deepEqual(waits, [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test('soon again where it had worked', () => {
    const dialer = new Dialer();
    dialer.add(endpoint);
    dialer.due(1, 0);
    dialer.over(endpoint, true, 0);
    assert.deepEqual(dialer.due(1, 999), []);
    assert.deepEqual(dialer.due(1, 1000), [endpoint]);
  });

  test('no more than there is room for, of no more than a thousand', () => {
    const dialer = new Dialer();
    for (let port = 1; port <= 5000; port++) dialer.add({ host: '10.0.0.1', port });
    assert.equal(dialer.due(3, 0).length, 3);
    assert.equal(dialer.due(1e6, 0).length, 997);
    assert.equal(dialer.due(-1, 0).length, 0);
  });

  test('never again whoever is forgotten', () => {
    const dialer = new Dialer();
    dialer.add(endpoint);
    dialer.forget(({ host }) => host === endpoint.host);
    assert.deepEqual(dialer.due(1, 0), []);
  });
});

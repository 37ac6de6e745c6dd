import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRate, RateSchedule, rateAt, rateText, sharedRateAt } from './rate-schedule.ts';

const NIGHT = RateSchedule.parse({
  bytesPerSecond: 1000,
  windows: [
    { from: '22:00', to: '06:00', bytesPerSecond: 9000 },
    { from: '12:00', to: '13:00' },
  ],
});

test('the cap at a time of the day', () => {
  const cases = [
    ['in the day', '2026-03-02T09:00:00Z', 1000],
    ['a minute before the night', '2026-03-02T21:59:59Z', 1000],
    ['at its beginning', '2026-03-02T22:00:00Z', 9000],
    ['behind midnight', '2026-03-03T05:59:59Z', 9000],
    ['at its end', '2026-03-03T06:00:00Z', 1000],
    ['in a window without a cap', '2026-03-03T12:30:00Z', undefined],
  ] as const;
  for (const [name, now, expected] of cases) assert.equal(rateAt(NIGHT, new Date(now)), expected, name);
});

test('the days are those of the time zone, in summer as well', () => {
  const berlin = RateSchedule.parse({ ...NIGHT, timeZone: 'Europe/Berlin' });
  assert.equal(rateAt(berlin, new Date('2026-01-05T21:00:00Z')), 9000);
  assert.equal(rateAt(berlin, new Date('2026-01-05T20:59:00Z')), 1000);
  assert.equal(rateAt(berlin, new Date('2026-07-05T20:00:00Z')), 9000);
});

test('of two windows that overlap the first counts', () => {
  const schedule = RateSchedule.parse({
    windows: [
      { from: '08:00', to: '12:00', bytesPerSecond: 1 },
      { from: '00:00', to: '23:59', bytesPerSecond: 2 },
    ],
  });
  assert.equal(rateAt(schedule, new Date('2026-03-02T09:00:00Z')), 1);
  assert.equal(rateAt(schedule, new Date('2026-03-02T13:00:00Z')), 2);
});

test('a site has the least of its caps, and its edges share it', () => {
  const at = new Date('2026-03-02T23:00:00Z');
  const day = RateSchedule.parse({ bytesPerSecond: 600 });
  assert.equal(sharedRateAt([], 1, at), undefined);
  assert.equal(sharedRateAt([NIGHT, day], 1, at), 600);
  assert.equal(sharedRateAt([NIGHT, day, RateSchedule.parse({})], 3, at), 200);
  assert.equal(sharedRateAt([RateSchedule.parse({ bytesPerSecond: 1 })], 9, at), 1);
});

test('what is no schedule is refused', () => {
  for (const wrong of [
    { bytesPerSecond: 0 },
    { timeZone: 'Mars/Olympus' },
    { windows: [{ from: '24:00', to: '06:00' }] },
    { windows: [{ from: '06:00', to: '06:00' }] },
  ])
    assert.equal(RateSchedule.safeParse(wrong).success, false, JSON.stringify(wrong));
});

test('rates are written as tc writes them', () => {
  for (const [text, bytes] of [
    ['8bit', 1],
    ['64kbit', 8000],
    ['200Mbit', 25_000_000],
    ['1.5Gbit', 187_500_000],
  ] as const) {
    assert.equal(parseRate(text), bytes);
    assert.equal(rateText(bytes), text);
  }
  for (const wrong of ['', '200', '200MB', '0Mbit', '-1Mbit', '1bit', '1e3Mbit', '200 Mbit'])
    assert.equal(parseRate(wrong), undefined, wrong);
});

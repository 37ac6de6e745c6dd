import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf, settingsText } from './edge-settings.ts';

test('what is set of an edge', () => {
  const cases = [
    ['nothing', {}, {}],
    ['a site', { site: 'berlin' }, { site: 'berlin' }],
    ['no site any more', { site: false }, { site: null }],
    ['a rate', { rate: '200Mbit' }, { rate: { bytesPerSecond: 25_000_000, timeZone: 'UTC', windows: [] } }],
    ['no rate any more', { rate: false }, { rate: null }],
    [
      'windows alone, of which one has no cap',
      { rateWindow: ['22:00-06:00=1Gbit', '12:00-13:00=unlimited'], timeZone: 'Europe/Berlin' },
      {
        rate: {
          timeZone: 'Europe/Berlin',
          windows: [
            { from: '22:00', to: '06:00', bytesPerSecond: 125_000_000 },
            { from: '12:00', to: '13:00' },
          ],
        },
      },
    ],
  ] as const;
  for (const [name, options, expected] of cases) assert.deepEqual(settingsOf(options), expected, name);
});

test('what is wrong is named', () => {
  const cases = [
    [{ site: 'Berlin Mitte' }, 'site', /Berlin Mitte/],
    [{ rate: '200MB' }, 'rate', /200MB/],
    [{ rateWindow: ['22-06'] }, 'rate-window', /FROM-TO=RATE/],
    [{ rateWindow: ['22:00-06:00=fast'] }, 'rate-window', /fast/],
    [{ rateWindow: ['25:00-06:00=1Gbit'] }, 'rate-window', /time of day/],
    [{ rate: '1Gbit', timeZone: 'Mars/Olympus' }, 'time-zone', /Mars/],
    [{ timeZone: 'UTC' }, 'time-zone', /--rate-window/],
  ] as const;
  for (const [options, field, message] of cases)
    assert.throws(() => settingsOf(options), { code: 'argument_invalid', field, message });
});

test('it is told in words', () => {
  assert.equal(settingsText({}), 'site of its own, no cap');
  const { rate } = settingsOf({ rate: '200Mbit', rateWindow: ['22:00-06:00=unlimited'] });
  assert.equal(
    settingsText({ site: 'berlin', ...(rate ? { rate } : {}) }),
    'site berlin, 200Mbit, 22:00-06:00 no cap, UTC',
  );
});

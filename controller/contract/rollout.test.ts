import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RolloutOrder } from './rollout.ts';
import { parseWaves, type WaveRule, wavesText } from './rollout-waves.ts';
import { isWithin, parseWindow, windowText } from './rollout-window.ts';

describe('waves', () => {
  test('are sizes, shares, and what becomes of the rest', () => {
    assert.deepEqual(parseWaves('1,5%, rest'), [
      { kind: 'count', machines: 1 },
      { kind: 'percent', percent: 5 },
      { kind: 'rest' },
    ]);
    assert.deepEqual(parseWaves('by=rack'), [{ kind: 'by', group: 'rack' }]);
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['1,5%', /must end with 'rest'/],
    ['', /'' is no number/],
    ['0,rest', /'0' is no number/],
    ['-1,rest', /'-1' is no number/],
    ['rest,1,rest', /'rest' must be the last term/],
    ['60%,60%,rest', /has 120 % in all/],
    ['101%,rest', /'101%' is more than there is/],
    ['1,by=row', /'by=row' names none of by=rack, by=segment, by=uplink/],
    [`${'1,'.repeat(40)}rest`, /at most 32 terms/],
  ];
  for (const [text, why] of refused)
    test(`'${text.slice(0, 20)}' is refused, and why`, () => {
      assert.throws(() => parseWaves(text), { name: 'RangeError', message: why });
    });

  test('come back as they were written, and nothing else than a RangeError is thrown', () => {
    const rule = fc.oneof(
      fc.integer({ min: 1, max: 9999 }).map((machines): WaveRule => ({ kind: 'count', machines })),
      fc.integer({ min: 1, max: 3 }).map((percent): WaveRule => ({ kind: 'percent', percent })),
    );
    const last = fc.constantFrom<WaveRule>({ kind: 'rest' }, { kind: 'by', group: 'segment' });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 30 }), last, (rules, end) => {
        assert.deepEqual(parseWaves(wavesText([...rules, end])), [...rules, end]);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseWaves(text);
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      }),
    );
  });
});

describe('windows', () => {
  const at = (text: string): Date => new Date(`${text}:00.000Z`);

  test('hold the days on which they begin, also past midnight', () => {
    const window = parseWindow('mon,tue 22:00-04:00 Europe/Berlin');
    // 2 March 2026 is a Monday; Berlin is an hour ahead.
    assert.equal(isWithin(window, at('2026-03-02T20:59')), false);
    assert.equal(isWithin(window, at('2026-03-02T21:00')), true);
    assert.equal(isWithin(window, at('2026-03-03T02:59')), true);
    assert.equal(isWithin(window, at('2026-03-03T03:00')), false);
    assert.equal(isWithin(window, at('2026-03-04T02:59')), true, 'it began on Tuesday');
    assert.equal(isWithin(window, at('2026-03-05T02:00')), false, 'it would have begun on Wednesday');
    assert.equal(isWithin(window, at('2026-03-02T01:00')), false, 'it would have begun on Sunday');
  });

  test('of a day hold every day where none is named', () => {
    const window = parseWindow('08:00-09:00');
    assert.deepEqual(
      ['07:59', '08:00', '08:59', '09:00'].map((time) => isWithin(window, at(`2026-03-08T${time}`))),
      [false, true, true, false],
    );
    assert.equal(windowText(window), '08:00-09:00 UTC');
    assert.deepEqual(parseWindow(windowText(window)), window);
  });

  for (const text of ['always', '25:00-26:00', 'fun 08:00-09:00', '08:00-09:00 Mars/Base'])
    test(`'${text}' is none`, () => {
      assert.throws(() => parseWindow(text), RangeError);
    });
});

describe('an order', () => {
  const order = { name: 'spring', release: 'web/2/amd64', match: 'class=web' };

  test('has a canary, a share and the rest as its waves, and lets nobody fail, unless it says otherwise', () => {
    const { waves, gates, limits } = RolloutOrder.parse(order);
    assert.deepEqual([waves, gates.failuresMost, limits.atOnce], ['1,5%,25%,rest', '0', 50]);
  });

  const refused: readonly (readonly [object, string])[] = [
    [{ match: 'memory>>4' }, 'match'],
    [{ match: '' }, 'match'],
    [{ waves: '1' }, 'waves'],
    [{ gates: { failuresMost: '101%' } }, 'gates.failuresMost'],
    [{ gates: { signMinutes: 61 } }, 'gates.signMinutes'],
    [{ gates: { health: { kind: 'url', url: 'file:///etc/passwd' } } }, 'gates.health.url'],
    [{ gates: { health: { kind: 'url', url: 'http://{password}/' } } }, 'gates.health.url'],
    [{ gates: { health: { kind: 'command', command: '../../bin/sh' } } }, 'gates.health.command'],
    [{ hooks: { before: { url: 'https://drain.example/' } } }, 'hooks.before.secret'],
    [{ profile: 'web', by: 'agent' }, 'by'],
    [{ limits: { atOnce: 0 } }, 'limits.atOnce'],
  ];
  for (const [changes, field] of refused)
    test(`is refused with ${JSON.stringify(changes)}, and the field is named`, () => {
      const parsed = RolloutOrder.safeParse({ ...order, ...changes });
      assert.equal(parsed.error?.issues[0]?.path.join('.'), field);
    });
});

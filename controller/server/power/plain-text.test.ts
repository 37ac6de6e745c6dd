import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { plainText } from './plain-text.ts';

test('what a terminal would obey is blanks', () => {
  assert.equal(
    plainText('\u001b[2J\u001b]0;owned\u0007 fan\r\n1\u202efailed\u200b'),
    '[2J ]0;owned fan 1 failed',
  );
  assert.equal(plainText('x'.repeat(300)), `${'x'.repeat(200)}...`);
  assert.equal(plainText(`${'x'.repeat(199)}😀😀`), `${'x'.repeat(199)}...`);
});

test('no text keeps a control character, and none grows', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
      const plain = plainText(text);
      return !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(plain) && plain.length <= 203 && plain.isWellFormed();
    }),
  );
});

test('braces of a BMC are filled by nobody', () => {
  for (const reason of [
    '{address}',
    '{what} $(reboot) `id`',
    '%s %n',
    '${process.env}',
    '{{constructor}}',
    '$&',
  ]) {
    const error = problem('bmc_refused', {
      facts: { address: '10.0.0.7', what: 'on', reason: plainText(reason) },
    });
    assert.equal(error.message, `the BMC at 10.0.0.7 refused on: ${reason}`);
  }
});

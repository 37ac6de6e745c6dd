import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compilePattern } from './patterns.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('a pattern', () => {
  const cases: readonly (readonly [name: string, pattern: string, text: string, matches: boolean])[] = [
    ['without a star is the whole text', 'Gi1/0/1', 'Gi1/0/1', true],
    ['without a star is not a beginning', 'Gi1/0/1', 'Gi1/0/11', false],
    ['with a star at the end is a beginning', 'Gi1/*', 'Gi1/0/1', true],
    ['with a star at the end takes nothing more, too', 'Gi1/*', 'Gi1/', true],
    ['with a star at the end is not a middle', 'i1/*', 'Gi1/0/1', false],
    ['with a star in front is an end', '*/1', 'Gi1/0/1', true],
    ['with a star in front is not a middle', '*/0', 'Gi1/0/1', false],
    ['with a star in the middle has both ends', 'Gi*/1', 'Gi1/0/1', true],
    ['must not use a byte for both ends', 'aba*aba', 'aba', false],
    ['must not use a byte for both ends of five', 'aba*aba', 'ababa', false],
    ['of several stars has its parts in their order', 'a*b*c*d', 'a1b2c3d', true],
    ['of several stars does not turn the order round', 'a*c*b*d', 'a1b2c3d', false],
    ['of several stars does not use a part twice', '*ab*ab*', 'xabx', false],
    ['of a star alone is any text', '*', '', true],
    ['has no other wild cards', 'G.1', 'Gi1', false],
    ['does not match bytes that are no text', '*', 'a\u0000b', false],
    ['in hexadecimal matches them', 'hex:0004*', '\u0000\u0004\u0001\u0002', true],
    ['in hexadecimal ends where it says', 'hex:*0102', '\u0000\u0004\u0001\u0002', true],
    ['in hexadecimal is no text', 'hex:6769', '6769', false],
    ['in hexadecimal without a star is all of it', 'hex:0004', '\u0000\u0004\u0001', false],
  ];
  for (const [name, pattern, text, matches] of cases)
    test(name, () => assert.equal(compilePattern(pattern)(bytesOf(text)), matches));

  test('matches nothing where nothing was said', () => assert.equal(compilePattern('*')(undefined), false));

  test('takes time in proportion to the text, however its stars stand', () => {
    const pattern = compilePattern(`${'*a'.repeat(120)}*b`);
    const startedAt = performance.now();
    for (let round = 0; round < 100; round++) assert.equal(pattern(bytesOf('a'.repeat(255))), false);
    // Backtracking over 120 stars would not end within the life of the universe.
    assert.ok(performance.now() - startedAt < 20_000);
  });
});

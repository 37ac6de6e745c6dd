import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { trimLocales } from './node-locales.ts';

/** What an agent and its libraries may do with text and dates; German, which is trimmed, falls back. */
const PROGRAM = `
  const text = [
    new Date(0).toISOString(), new Intl.NumberFormat('en').format(1234.5), 'É'.toLowerCase(),
    'e\\u0301'.normalize('NFC').length, /\\p{L}/u.test('ж'), new URL('http://ä.example/').hostname,
    ['b', 'a'].toSorted(new Intl.Collator('de').compare).join(), new TextDecoder().decode(Uint8Array.of(0xc3, 0xa4)),
    new Date(0).toLocaleString('de', { timeZone: 'UTC' }) !== '',
  ];
  console.log(text.join(' '));
`;

describe("Node without other languages' data", () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-node-'));
  after(() => rmSync(folder, { recursive: true }));

  test('is as long as before, 20 MB of it zeros, and still runs', () => {
    const whole = readFileSync(process.execPath);
    const { bytes, trimmedBytes } = trimLocales(whole);
    assert.equal(bytes.length, whole.length);
    assert.ok(trimmedBytes > 20_000_000, String(trimmedBytes));
    const trimmed = join(folder, 'node');
    writeFileSync(trimmed, bytes, { mode: 0o755 });
    const told = execFileSync(trimmed, ['-e', PROGRAM], { encoding: 'utf8' });
    assert.equal(told, '1970-01-01T00:00:00.000Z 1,234.5 é 1 true xn--4ca.example a,b ä true\n');
  });

  test('of another build, in which the archive is not found, is left alone', () => {
    const other = Buffer.from('a program that talks of CmnD and means nothing by it');
    assert.deepEqual(trimLocales(other), { bytes: other, trimmedBytes: 0 });
  });
});

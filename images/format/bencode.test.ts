import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bencode, BencodeUnreadable, decodeBencode, encodeBencode } from './bencode.ts';

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
/** Texts as text, so that a case can be read. */
const readable = (value: Bencode): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (value instanceof Map) return new Map([...value].map(([key, held]) => [key, readable(held)]));
  return Array.isArray(value) ? value.map(readable) : value;
};

test('values are read as BEP 3 writes them', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['4:spam', 'spam'],
    ['0:', ''],
    ['i3e', 3],
    ['i-3e', -3],
    ['i0e', 0],
    [`i${Number.MAX_SAFE_INTEGER}e`, Number.MAX_SAFE_INTEGER],
    ['le', []],
    ['l4:spam4:eggse', ['spam', 'eggs']],
    [
      'd3:cow3:moo4:spaml1:a1:bee',
      new Map<string, unknown>([
        ['cow', 'moo'],
        ['spam', ['a', 'b']],
      ]),
    ],
    ['de', new Map()],
    ['d1:\xffi1ee', new Map([['\xff', 1]])],
  ];
  for (const [text, value] of cases) {
    assert.deepEqual(readable(decodeBencode(latin1(text))), value, text);
    assert.deepEqual(encodeBencode(decodeBencode(latin1(text))), Buffer.from(text, 'latin1'), text);
  }
});

test('what is malformed is refused, and named', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /no value at byte 0/],
    ['something behind the value', 'i1ei2e', /something follows the value at byte 3/],
    ['a text cut short', '5:spam', /a text of 5 bytes that are not there/],
    ['a length that never ends', '11', /a length without a colon/],
    ['a negative length', 'l-3:e', /no value at byte 1/],
    ['a length of 2 GiB', '2147483648:a', /a text of 2147483648 bytes/],
    ['a length of more digits than a number holds', `${'9'.repeat(1000)}:a`, /a number too large at byte 0/],
    ['a length with a leading zero', '04:spam', /a leading zero at byte 0/],
    ['a length of zeros', '00:', /a leading zero/],
    ['an integer without digits', 'ie', /no digit/],
    ['a lonely minus', 'i-e', /no digit/],
    ['minus zero', 'i-0e', /minus zero at byte 0/],
    ['an integer with a leading zero', 'i03e', /a leading zero/],
    ['a negative integer with a leading zero', 'i-03e', /a leading zero/],
    ['an integer with a plus', 'i+3e', /no digit/],
    ['an integer with a blank', 'i 3e', /no digit/],
    ['a fraction', 'i1.5e', /an integer that does not end/],
    ['an unsafe integer', 'i9007199254740992e', /a number too large/],
    ['a list that does not end', 'li1e', /no value at byte 4/],
    ['a dictionary that does not end', 'd1:ai1e', /a key that is no text/],
    ['a key that is a number', 'di1ei2ee', /a key that is no text/],
    ['a key without a value', 'd1:ae', /no value/],
    ['a key twice', 'd1:ai1e1:ai2ee', /a key that was there before at byte 7/],
    ['an end without a beginning', 'e', /no value/],
  ];
  for (const [name, text, message] of cases)
    assert.throws(() => decodeBencode(latin1(text)), { name: 'BencodeUnreadable', message }, name);
});

test('keys are taken in any order and written in the order of their bytes', () => {
  const value = decodeBencode(latin1('d1:b0:1:a0:2:aa0:1:Z0:e'));
  assert.deepEqual(encodeBencode(value), Buffer.from('d1:Z0:1:a0:2:aa0:1:b0:e'));
});

test('__proto__ is a key as any other', () => {
  const value = decodeBencode(latin1('d9:__proto__d5:valuei1eee'));
  assert.deepEqual(readable(value), new Map([['__proto__', new Map([['value', 1]])]]));
  assert.equal(Object.getOwnPropertyDescriptor(Object.prototype, 'value'), undefined);
});

test('depth, values and bytes are capped', () => {
  const nested = (depth: number): Uint8Array => latin1('l'.repeat(depth) + 'e'.repeat(depth));
  assert.doesNotThrow(() => decodeBencode(nested(16)));
  assert.throws(() => decodeBencode(nested(17)), /more than 16 values within each other/);
  assert.throws(() => decodeBencode(latin1('l'.repeat(1_000_000))), BencodeUnreadable);
  assert.throws(() => decodeBencode(latin1('d1:a'.repeat(200_000))), BencodeUnreadable);
  assert.doesNotThrow(() => decodeBencode(latin1(`l${'le'.repeat(9_999)}e`)));
  assert.throws(() => decodeBencode(latin1(`l${'le'.repeat(10_000)}e`)), /more than 10000 values/);
  assert.throws(() => decodeBencode(latin1('i1e'), { bytes: 2 }), /more than 2 bytes/);
  assert.throws(() => decodeBencode(new Uint8Array(1024 * 1024 + 1)), /more than 1048576 bytes/);
});

test('what has no encoding is refused', () => {
  for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    assert.throws(() => encodeBencode(number), RangeError, String(number));
  assert.throws(() => encodeBencode(new Map([['\u0100', 1]])), RangeError);
  assert.deepEqual(encodeBencode(-0), Buffer.from('i0e'));
});

const { value: anyValue } = fc.letrec<{ value: Bencode }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.uint8Array({ maxLength: 5 }), tie('value')), { maxLength: 5 })
      .map((entries) => new Map(entries.map(([key, held]) => [Buffer.from(key).toString('latin1'), held]))),
  ),
}));

test('every value comes back as it went, and has one encoding', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeBencode(value);
      const back = decodeBencode(bytes);
      assert.deepEqual(readable(back), readable(value));
      assert.deepEqual(encodeBencode(back), bytes);
    }),
  );
});

test('whatever comes is a value or refused', () => {
  const tokens = fc.constantFrom(...'0123456789:-ilde'.split(''), '1:a', 'i0e', '9:__proto__');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(tokens, { maxLength: 60 }).map((parts) => latin1(parts.join(''))),
    fc.tuple(anyValue, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
      const changed = Uint8Array.from(encodeBencode(value));
      changed[at % changed.length] = byte;
      return changed;
    }),
  );
  fc.assert(
    fc.property(bytes, (given) => {
      try {
        decodeBencode(encodeBencode(decodeBencode(given)));
      } catch (error) {
        assert.ok(error instanceof BencodeUnreadable, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the worst megabytes are read within the time of a tick', () => {
  const most = 1024 * 1024;
  const cases: Readonly<Record<string, string>> = {
    'keys that differ at their end': `d${Array.from({ length: 9_998 }, (_, i) => `99:${String(i).padStart(99, '0')}0:`).join('')}e`,
    'digits without end': '1'.repeat(most),
    'lists without end': 'l'.repeat(most),
    'one long text': `${most - 8}:${'a'.repeat(most - 8)}`,
  };
  for (const [name, text] of Object.entries(cases)) {
    const bytes = latin1(text);
    // The fastest of some: the others tell what else the machine was busy with.
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 10 && fastestMs >= 100; turn++) {
      const start = performance.now();
      try {
        decodeBencode(bytes);
      } catch (error) {
        assert.ok(error instanceof BencodeUnreadable, name);
      }
      fastestMs = Math.min(fastestMs, performance.now() - start);
    }
    assert.ok(fastestMs < 100, `${name} took ${fastestMs} ms`);
  }
});

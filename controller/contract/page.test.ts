import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cursorOfLink, linkToNext, type Order, pageOf } from './page.ts';

const rising: Order<string> = { keyOf: (text) => text };
const falling: Order<string> = { ...rising, isFalling: true };

test('who asks for no page gets the list as it is', () => {
  const list = ['b', 'a'];
  assert.deepEqual(pageOf(list, rising, {}), { items: list });
});

test('a page ends with its limit, and the last one has no next', () => {
  assert.deepEqual(pageOf(['a', 'b', 'c'], rising, { limit: 2 }), { items: ['a', 'b'], next: 'b' });
  assert.deepEqual(pageOf(['a', 'b', 'c'], rising, { limit: 2, cursor: 'b' }), { items: ['c'] });
  assert.deepEqual(pageOf(['a', 'b'], rising, { limit: 2 }), { items: ['a', 'b'] });
  assert.deepEqual(pageOf(['c', 'b', 'a'], falling, { limit: 1, cursor: 'c' }), { items: ['b'], next: 'b' });
  assert.deepEqual(pageOf(['a', 'c'], rising, { cursor: 'b' }), { items: ['c'] });
  assert.deepEqual(pageOf([], rising, { limit: 1 }), { items: [] });
});

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 12 });

test('whatever comes and goes while a list is walked, what stays comes once and in order', () => {
  fc.assert(
    fc.property(
      ...([
        names,
        fc.array(names),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(rising, falling),
      ] as const),
      (stays, others, limit, order) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let at = 0; ; at++) {
          const list = [...new Set([...stays, ...(others[at % (others.length || 1)] ?? [])])];
          const page = pageOf(list, order, { limit, cursor });
          seen.push(...page.items);
          if (page.next === undefined) break;
          cursor = page.next;
        }
        const sorted = (list: readonly string[]) =>
          list.toSorted((a, b) => (a < b === (order === rising) ? -1 : 1));
        assert.deepEqual(seen, sorted(seen));
        assert.equal(new Set(seen).size, seen.length);
        for (const each of stays) assert.ok(seen.includes(each));
      },
    ),
  );
});

test('the link to the next page keeps what was asked for, and brings any cursor back', () => {
  const link = linkToNext('http://c:8470/v1/machines?match=class%3Dweb&limit=2&cursor=a', 'b');
  assert.equal(link, '</v1/machines?match=class%3Dweb&limit=2&cursor=b>; rel="next"');
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), (cursor) => {
      fc.pre(cursor.isWellFormed());
      assert.equal(cursorOfLink(linkToNext('http://c/v1/x', cursor)), cursor);
    }),
  );
  fc.assert(fc.property(fc.string(), (header) => void cursorOfLink(header)));
  for (const other of [null, '', '</v1/x?cursor=a>; rel="prev"', '</v1/x>; rel="next"'])
    assert.equal(cursorOfLink(other), undefined, String(other));
});

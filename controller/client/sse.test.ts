import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSse, SSE_START, type SseMessage } from './sse.ts';

function read(...chunks: readonly string[]): {
  readonly messages: readonly SseMessage[];
  readonly id: string;
} {
  let state = SSE_START;
  const messages: SseMessage[] = [];
  for (const chunk of chunks) {
    const step = readSse(state, chunk);
    state = step.state;
    messages.push(...step.messages);
  }
  return { messages, id: state.id };
}

const cases: readonly (readonly [string, string, readonly SseMessage[]])[] = [
  ['a message', 'id: 7\nevent: a.b\ndata: {}\n\n', [{ id: '7', event: 'a.b', data: '{}' }]],
  ['data of several lines', 'data: a\ndata:b\n\n', [{ id: '', event: 'message', data: 'a\nb' }]],
  ['an id alone', 'id: 7\n\n', []],
  ['a comment', ': hello\n\n', []],
  [
    'an id that lasts',
    'id: 7\ndata: a\n\ndata: b\n\n',
    [
      { id: '7', event: 'message', data: 'a' },
      { id: '7', event: 'message', data: 'b' },
    ],
  ],
  [
    'lines that end as on other systems',
    'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
    [
      { id: '', event: 'message', data: 'a' },
      { id: '', event: 'message', data: 'b' },
      { id: '', event: 'message', data: 'c' },
    ],
  ],
  ['a byte order mark', '\uFEFFdata: a\n\n', [{ id: '', event: 'message', data: 'a' }]],
  [
    'fields that nobody knows, and lines without a colon',
    'retry: 5\nx\ndata\n\n',
    [{ id: '', event: 'message', data: '' }],
  ],
  ['what has no end yet', 'data: a\n', []],
];
for (const [what, text, messages] of cases)
  test(`${what} is read`, () => {
    assert.deepEqual(read(text).messages, messages);
  });

test('an id alone is the place to go on from', () => {
  assert.equal(read('id: 7\ndata: a\n\nid: 9\n\n').id, '9');
});

const line = fc.oneof(
  fc.constantFrom('', '\n', '\r', '\r\n', '\uFEFF', 'data', 'data:', 'id: 1', 'id: \0', 'event: x', ': c'),
  fc.string({ maxLength: 5 }),
);

test('however a stream is cut, the same comes of it', () => {
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(60)), (parts, cuts) => {
      // A CR at the end waits for its LF: one more line tells that there is none.
      const text = `${parts.join('')}\n: end\n`;
      const places = [...new Set(cuts)].filter((at) => at < text.length).toSorted((a, b) => a - b);
      const chunks = [0, ...places].map((at, index) => text.slice(at, places[index] ?? text.length));
      assert.deepEqual(read(...chunks), read(text));
    }),
    { numRuns: 1000 },
  );
});

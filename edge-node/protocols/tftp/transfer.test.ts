import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, ERROR, type Outgoing, onPacket, onTimeout, type Step, type TftpPacket } from './index.ts';
import { termsOf } from './testing/terms.ts';

const WITH_OPTIONS = termsOf({ blockBytes: 512 });
const WINDOW_OF_4 = termsOf({ windowSize: 4 });

/** A story: each event, and what must be sent for it. `T` is a timeout, a number an ACK. */
interface Story {
  readonly name: string;
  readonly lengthBytes: number;
  readonly terms?: ReturnType<typeof termsOf>;
  readonly begins: string;
  readonly follows: readonly (readonly [event: number | 'T' | TftpPacket, sends: string])[];
}

const error = (code: number): TftpPacket => ({ kind: 'error', code, message: '' });
const STORIES: Story[] = [
  { name: 'a file of one short block', lengthBytes: 10, begins: '1', follows: [[1, 'complete']] },
  { name: 'an empty file', lengthBytes: 0, begins: '1', follows: [[1, 'complete']] },
  {
    name: 'a file of whole blocks ends with an empty one',
    lengthBytes: 1024,
    begins: '1',
    follows: [
      [1, '2'],
      [2, '3'],
      [3, 'complete'],
    ],
  },
  {
    name: 'options wait for ACK 0',
    lengthBytes: 600,
    terms: WITH_OPTIONS,
    begins: 'oack',
    follows: [
      [0, '1'],
      [1, '2'],
      [2, 'complete'],
    ],
  },
  {
    name: 'a lost OACK is sent again',
    lengthBytes: 10,
    terms: WITH_OPTIONS,
    begins: 'oack',
    follows: [
      ['T', 'oack'],
      [0, '1'],
      [0, ''],
      [1, 'complete'],
    ],
  },
  {
    name: 'a lost block is sent again',
    lengthBytes: 600,
    begins: '1',
    follows: [
      ['T', '1'],
      ['T', '1'],
      [1, '2'],
      [2, 'complete'],
    ],
  },
  {
    name: "no Sorcerer's Apprentice",
    lengthBytes: 1500,
    begins: '1',
    follows: [
      [1, '2'],
      [1, ''],
      [1, ''],
      [2, '3'],
      [1, ''],
      [2, ''],
      [3, 'complete'],
    ],
  },
  {
    name: 'ACKs of what was never sent',
    lengthBytes: 1500,
    begins: '1',
    follows: [
      [2, ''],
      [65535, ''],
      [32768, ''],
      [1, '2'],
    ],
  },
  {
    name: 'a window at a time',
    lengthBytes: 512 * 6,
    terms: WINDOW_OF_4,
    begins: 'oack',
    follows: [
      [0, '1 2 3 4'],
      [4, '5 6 7'],
      [7, 'complete'],
    ],
  },
  {
    name: 'a gap amid a window',
    lengthBytes: 512 * 6,
    terms: WINDOW_OF_4,
    begins: 'oack',
    follows: [
      [0, '1 2 3 4'],
      [2, '3 4 5 6'],
      [6, '7'],
      [7, 'complete'],
    ],
  },
  {
    name: 'a window whose ACK is lost',
    lengthBytes: 512 * 6,
    terms: WINDOW_OF_4,
    begins: 'oack',
    follows: [
      [0, '1 2 3 4'],
      ['T', '1 2 3 4'],
      [4, '5 6 7'],
    ],
  },
  {
    name: 'a late ACK of an earlier window',
    lengthBytes: 512 * 9,
    terms: WINDOW_OF_4,
    begins: 'oack',
    follows: [
      [0, '1 2 3 4'],
      [4, '5 6 7 8'],
      [2, ''],
      [4, ''],
      [8, '9 10'],
    ],
  },
  {
    name: 'a tsize probe hangs up with ERROR 8 (quirk 8)',
    lengthBytes: 600,
    terms: WITH_OPTIONS,
    begins: 'oack',
    follows: [[error(ERROR.optionsRefused), 'aborted by client']],
  },
  {
    name: 'a tsize probe hangs up with ERROR 0',
    lengthBytes: 600,
    terms: WITH_OPTIONS,
    begins: 'oack',
    follows: [[error(ERROR.notDefined), 'aborted by client']],
  },
  {
    name: 'a probe that waits for a block',
    lengthBytes: 600,
    begins: '1',
    follows: [[error(ERROR.notDefined), 'aborted by client']],
  },
  {
    name: 'a client that runs full',
    lengthBytes: 600,
    begins: '1',
    follows: [
      [1, '2'],
      [error(ERROR.diskFull), 'failed by client'],
    ],
  },
  {
    name: 'packets that make no sense here',
    lengthBytes: 600,
    begins: '1',
    follows: [
      [{ kind: 'data', block: 1, bytes: new Uint8Array() }, ''],
      [{ kind: 'oack', options: new Map() }, ''],
      [1, '2'],
    ],
  },
];
for (const { name, lengthBytes, terms = termsOf(), begins, follows } of STORIES) {
  test(name, () => {
    let step = begin(lengthBytes, terms);
    assert.equal(told(step), begins);
    for (const [event, sends] of follows) {
      step = after(step, event);
      assert.equal(told(step), sends);
    }
  });
}

test('DATA is cut out of the file by offset and length', () => {
  const step = begin(600, termsOf());
  assert.deepEqual(step.send, [{ kind: 'data', block: 1, byteOffset: 0, lengthBytes: 512 }]);
  assert.deepEqual(after(step, 1).send, [{ kind: 'data', block: 2, byteOffset: 512, lengthBytes: 88 }]);
});

test('block numbers roll over to 0 while offsets go on', () => {
  const { state } = begin(2 ** 32, termsOf());
  const step = onTimeout({ ...state, ackedBlock: 65535, sentBlock: 65536 }, false);
  assert.deepEqual(step.send, [{ kind: 'data', block: 0, byteOffset: 65535 * 512, lengthBytes: 512 }]);
  assert.equal(told(after(step, 0)), '1');
});

test('waits double up to 8 s and begin anew with progress', () => {
  let step = after(begin(5000, termsOf()), 1);
  const waitsMs = [step.state.waitMs];
  for (let timeout = 0; timeout < 4; timeout++) {
    step = after(step, 'T');
    waitsMs.push(step.state.waitMs);
  }
  assert.deepEqual(waitsMs, [1000, 2000, 4000, 8000, 8000]);
  assert.equal(after(step, 2).state.waitMs, 1000);
});

test('whoever repeats an ACK waits no longer than at first, and is sent nothing for it', () => {
  const silent = after(after(after(begin(5000, termsOf()), 1), 'T'), 'T');
  assert.equal(silent.state.waitMs, 4000);
  const repeated = after(silent, 1);
  assert.equal(told(repeated), '');
  assert.equal(repeated.state.waitMs, 1000);
  assert.equal(repeated.state.timeouts, 2, 'it is no progress');
  assert.equal(after(silent, 9).state.waitMs, 4000, 'an ACK of what was never sent is no sign of life');
});

test('an agreed timeout is kept up to half a minute, and silence ends a transfer after two', () => {
  for (const [timeoutSeconds, waitMs] of [
    [20, 20_000],
    [30, 30_000],
    [255, 30_000],
  ] as const) {
    let step = after(begin(5000, termsOf({ timeoutSeconds })), 0);
    let silentMs = 0;
    while (step.done === undefined) {
      assert.equal(step.state.waitMs, waitMs);
      silentMs += step.state.waitMs;
      step = after(step, 'T');
    }
    assert.equal(silentMs, 120_000);
  }
  const late = after(after(after(begin(5000, termsOf({ timeoutSeconds: 60 })), 0), 'T'), 1);
  assert.equal(late.state.silentMs, 0, 'progress begins anew');
});

const SILENT = [
  { name: 'a request', step: begin(5000, termsOf()), isFlood: false, packets: 5 },
  { name: 'a request amid a flood', step: begin(5000, termsOf()), isFlood: true, packets: 2 },
  { name: 'one with options amid a flood', step: begin(5000, WITH_OPTIONS), isFlood: true, packets: 2 },
  { name: 'a client that was there', step: after(begin(5000, termsOf()), 1), isFlood: true, packets: 12 },
];
for (const { name, step: first, isFlood, packets } of SILENT) {
  test(`silence after ${name} ends the transfer after ${packets} more packets`, () => {
    let step = first;
    let sent = 0;
    while (step.done === undefined) {
      step = onTimeout(step.state, isFlood);
      sent += step.send.length;
    }
    assert.equal(step.done, 'timed out');
    assert.equal(sent, packets);
  });
}

function after({ state }: Step, event: number | 'T' | TftpPacket): Step {
  if (event === 'T') return onTimeout(state, false);
  return onPacket(state, typeof event === 'number' ? { kind: 'ack', block: event } : event);
}

function told({ send, done }: Step): string {
  const name = (outgoing: Outgoing) => (outgoing.kind === 'oack' ? 'oack' : `${outgoing.block}`);
  return done ?? send.map(name).join(' ');
}

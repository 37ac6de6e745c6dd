import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '@bootswarm/images/format';
import { patiently } from './patience.ts';

describe('what a network may break off', () => {
  async function tries(errors: readonly Error[]): Promise<{ said: string[]; waits: number; done: unknown }> {
    const said: string[] = [];
    let waits = 0;
    let call = 0;
    const act = async (): Promise<string> => {
      const error = errors[call++];
      if (error) throw error;
      return 'done';
    };
    const parts = {
      wait: async () => {
        waits += 1;
      },
      say: (line: string) => void said.push(line),
      signal: new AbortController().signal,
    };
    const done = await patiently('fetching', act, parts).catch((error: unknown) => error);
    return { said, waits, done };
  }

  test('is tried again', async () => {
    const { said, waits, done } = await tries([new Error('fetch failed'), new Error('fetch failed')]);
    assert.deepEqual([said.length, waits, done], [2, 2, 'done']);
  });

  test('but not for ever', async () => {
    const { waits, done } = await tries(Array.from({ length: 9 }, () => new Error('fetch failed')));
    assert.equal(waits, 5);
    assert.equal((done as Problem).code, 'edge_silent');
    assert.match((done as Problem).message, /fetching: fetch failed$/);
  });

  test('and not where it was refused', async () => {
    const refusal = new Problem({ code: 'piece_wrong', message: 'wrong', remedy: 'none' }, 422);
    assert.deepEqual(await tries([refusal]), { said: [], waits: 0, done: refusal });
  });
});

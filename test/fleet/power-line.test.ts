import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { listenForPower, type PowerCommand, readCommand, switchPower } from './power-line.ts';

describe('the switch of played machines', () => {
  test('reads a command, and says of anything else what is wrong with it', () => {
    assert.deepEqual(readCommand('{"machine":"m1","do":"cycle"}'), { machine: 'm1', do: 'cycle' });
    assert.match(String(readCommand('on m1')), /JSON/);
    assert.match(String(readCommand('{"do":"on"}')), /^machine: /);
    assert.match(String(readCommand('{"machine":"m1","do":"explode"}')), /^do: /);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const read = readCommand(line);
        assert.ok(typeof read === 'string' || read.machine !== '');
      }),
    );
  });

  test('answers each command of a connection, also those that it refuses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootswarm-power-'));
    const path = join(folder, 'switch');
    const heard: PowerCommand[] = [];
    const server = await listenForPower(path, async (command) => {
      heard.push(command);
      if (command.machine === 'broken') throw new Error('the fuse is gone');
      return { ok: true, power: 'on', disk: 'empty' };
    });
    try {
      assert.deepEqual(await switchPower(path, { machine: 'm1', do: 'on' }), {
        ok: true,
        power: 'on',
        disk: 'empty',
      });
      await assert.rejects(switchPower(path, { machine: 'broken', do: 'on' }), /the fuse is gone/);
      assert.deepEqual(
        heard.map(({ machine }) => machine),
        ['m1', 'broken'],
      );
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
    await assert.rejects(switchPower(path, { machine: 'm1', do: 'on' }));
  });
});

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Bmc, type BmcOf } from '@bootswarm/controller/contract';
import { CommandDriver } from './command-hook.ts';

const signal = AbortSignal.timeout(60_000);
const machine = { id: 'm-1', macs: ['52:54:00:00:00:01'], uuid: undefined };

describe('a power command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-command-'));
  after(() => rmSync(folder, { recursive: true }));
  const driver = (script: string, changes = {}, timeoutMs = 10_000): CommandDriver => {
    writeFileSync(join(folder, 'pdu'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const bmc = Bmc.parse({ kind: 'command', program: 'pdu', ...changes }) as BmcOf<'command'>;
    return new CommandDriver({ bmc, machine, folder, password: 's3cret', timeoutMs });
  };

  test('gets its arguments as they stand, and the secret on standard input alone', async () => {
    const log = join(folder, 'log');
    const given = { arguments: ['{action}', 'outlet {mac}', '$(touch /tmp/x)', '; rm'] };
    await driver(`for a; do echo "$a"; done > ${log}; cat >> ${log}; env >> ${log}`, given).order(
      'on',
      signal,
    );
    const [...lines] = readFileSync(log, 'utf8').split('\n');
    assert.deepEqual(lines.slice(0, 4), ['on', 'outlet 52:54:00:00:00:01', '$(touch /tmp/x)', '; rm']);
    const rest = lines.slice(4).join('\n');
    assert.ok(
      rest.startsWith(JSON.stringify({ action: 'on', machine: 'm-1', macs: machine.macs, secret: 's3cret' })),
    );
    assert.equal(rest.split('s3cret').length, 2);
  });

  test('prints the status', async () => {
    assert.equal(await driver('echo off').status(signal), 'off');
    await assert.rejects(driver('echo maybe').status(signal), { code: 'bmc_garbage' });
  });

  for (const [script, code] of [
    ['echo "no outlet" >&2; exit 1', 'bmc_refused'],
    ['exit 2', 'bmc_unable'],
    ['exit 3', 'bmc_busy'],
    ['exit 7', 'bmc_garbage'],
    ['sleep 30', 'bmc_silent'],
  ] as const)
    test(`that does '${script}' is ${code}`, () =>
      assert.rejects(driver(script, {}, 300).order('off', signal), { code }));

  test('is a file of the folder, executable, and no link', async () => {
    symlinkSync('/bin/true', join(folder, 'link'));
    writeFileSync(join(folder, 'plain'), '');
    chmodSync(join(folder, 'plain'), 0o644);
    for (const program of ['link', 'plain', 'missing'])
      await assert.rejects(driver('', { program }).order('on', signal), {
        code: 'power_command_unknown',
        field: 'program',
      });
    for (const program of ['../pdu', '/bin/sh', 'a/b', '.', '..', '-x', ''])
      assert.equal(Bmc.safeParse({ kind: 'command', program }).success, false, program);
    assert.equal(Bmc.safeParse({ kind: 'command', program: 'pdu', arguments: ['{evil}'] }).success, false);
    const bmc = Bmc.parse({ kind: 'command', program: 'pdu' }) as BmcOf<'command'>;
    const without = new CommandDriver({ bmc, machine, folder: undefined, password: undefined });
    await assert.rejects(without.order('on', signal), { code: 'power_command_unknown' });
  });
});

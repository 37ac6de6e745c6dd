import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Bmc, type BmcOf } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { IpmiDriver } from './ipmi.ts';

const signal = AbortSignal.timeout(60_000);
const PASSWORD = "it's; $(id) `x`";

describe('IPMI by ipmitool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-ipmi-'));
  after(() => rmSync(folder, { recursive: true }));
  const bmcOf = (changes = {}) =>
    Bmc.parse({
      kind: 'ipmi',
      address: 'bmc7.example',
      user: '-x; reboot',
      secret: 'bmc',
      ...changes,
    }) as BmcOf<'ipmi'>;

  /** A fake ipmitool: writes down how it was called, prints, and ends with a code. */
  const driver = (
    { stdout = '', stderr = '', code = 0, sleep = 0 },
    { timeoutMs = 10_000, ...changes }: Readonly<Record<string, unknown>> = {},
  ): IpmiDriver => {
    const program = join(folder, 'fake-ipmitool');
    writeFileSync(join(folder, 'stdout'), stdout);
    writeFileSync(join(folder, 'stderr'), stderr);
    writeFileSync(
      program,
      `#!/bin/sh\nfor a; do printf '%s\\n' "$a"; done > ${folder}/argv\nenv > ${folder}/env\nsleep ${sleep}\ncat ${folder}/stdout\ncat ${folder}/stderr >&2\nexit ${code}\n`,
      { mode: 0o755 },
    );
    return new IpmiDriver({
      bmc: bmcOf(changes),
      ip: '10.9.0.7',
      password: PASSWORD,
      program,
      timeoutMs: Number(timeoutMs),
    });
  };

  test('the password is in its environment alone, and the address is the one that was looked at', async () => {
    assert.equal(await driver({ stdout: 'Chassis Power is on\n' }).status(signal), 'on');
    const argv = readFileSync(join(folder, 'argv'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(argv, [
      ...['-v', '-I', 'lanplus', '-H', '10.9.0.7', '-p', '623', '-U', '-x; reboot', '-E', '-C', '3'],
      ...['-N', '2', '-R', '2', 'chassis', 'power', 'status'],
    ]);
    const env = readFileSync(join(folder, 'env'), 'utf8');
    assert.ok(env.includes(`IPMI_PASSWORD=${PASSWORD}\n`));
    assert.equal(/^HOME=/m.test(env), false);
  });

  test('orders are what ipmitool says was taken, word for word', async () => {
    for (const [order, said] of [
      ['on', 'Chassis Power Control: Up/On'],
      ['off', 'Chassis Power Control: Down/Off'],
      ['reset', 'Chassis Power Control: Reset'],
    ] as const)
      await driver({ stdout: `Running Get VSO Capabilities\n${said}\n` }).order(order, signal);
    await driver({ stdout: 'Set Boot Device to pxe\n' }).bootFromNetworkOnce(signal);
    assert.match(readFileSync(join(folder, 'argv'), 'utf8'), /chassis\nbootdev\npxe\noptions=efiboot\n$/);
    await driver({ stdout: 'Set Boot Device to pxe\n' }, { firmware: 'bios' }).bootFromNetworkOnce(signal);
    assert.match(readFileSync(join(folder, 'argv'), 'utf8'), /bootdev\npxe\n$/);
    await assert.rejects(driver({ stdout: 'Chassis Power Control: Up/On\n' }).order('off', signal), {
      code: 'bmc_garbage',
    });
  });

  const ends: readonly (readonly [string, Parameters<typeof driver>[0], string, RegExp])[] = [
    [
      'nobody answers',
      {
        stderr: 'Get Auth Capabilities error\nError: Unable to establish IPMI v2 / RMCP+ session\n',
        code: 1,
      },
      'bmc_silent',
      /bmc7.example did not answer/,
    ],
    [
      'the password is wrong',
      { stderr: '> RAKP 2 HMAC is invalid\nError: Unable to establish IPMI v2 / RMCP+ session\n', code: 1 },
      'bmc_refused',
      /password is wrong/,
    ],
    [
      'the user is unknown',
      {
        stderr: 'RAKP 2 message indicates an error : unauthorized name\nError: Unable to establish\n',
        code: 1,
      },
      'bmc_refused',
      /user is unknown/,
    ],
    [
      'the cipher suite is refused',
      { stderr: 'Error in open session response message : invalid authentication algorithm\n', code: 1 },
      'bmc_refused',
      /session/,
    ],
    [
      'bootdev fails and the exit code is 0',
      { stderr: 'Set Chassis Boot Parameter 5 failed: Unspecified error\n', code: 0 },
      'bmc_refused',
      /Unspecified error/,
    ],
    [
      'it is busy',
      { stderr: 'Get Chassis Power Status failed: Node busy\n', code: 1 },
      'bmc_busy',
      /Node busy/,
    ],
    ['it says nothing', { code: 0 }, 'bmc_garbage', /nothing/],
    [
      'it says what makes no sense',
      { stdout: 'Chassis Power is \u001b[31mon\u0007\n' },
      'bmc_garbage',
      /is \[31mon$/,
    ],
  ];
  for (const [what, said, code, message] of ends)
    test(`where ${what}, it is ${code}`, () =>
      assert.rejects(driver(said).status(signal), { code, message }));

  test('one that hangs is ended with what it started', async () => {
    const started = Date.now();
    await assert.rejects(driver({ sleep: 30 }, { timeoutMs: 300 }).status(signal), { code: 'bmc_silent' });
    const stop = new AbortController();
    const asked = driver({ sleep: 30 }).status(stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(asked, { message: 'stopped' });
    assert.ok(Date.now() - started < 10_000);
  });

  test('without ipmitool it is said which package has it', async () => {
    const options = { bmc: bmcOf(), ip: '10.9.0.7', password: 'x', program: join(folder, 'missing') };
    await assert.rejects(new IpmiDriver(options).status(signal), {
      code: 'bmc_unable',
      message: /package ipmitool/,
    });
  });

  test('a password that IPMI has no room for is said before anybody is spoken to', () => {
    const make = () => new IpmiDriver({ bmc: bmcOf(), ip: '10.9.0.7', password: 'x'.repeat(21) });
    assert.throws(make, { code: 'bmc_secret_unfit', field: 'secret' });
  });

  test('whatever is printed is an answer or a named problem, without control characters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.constantFrom(0, 1),
        async (stdout, stderr, code) => {
          const error = await driver({ stdout, stderr, code })
            .status(signal)
            .then(
              () => undefined,
              (found) => found,
            );
          assert.match(error?.code ?? '', /^bmc_(garbage|refused|busy|silent)$/);
          assert.doesNotMatch(error.message, /\p{Cc}/u);
        },
      ),
      { numRuns: 15 },
    );
  });
});

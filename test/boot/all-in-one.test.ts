import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../lab/index.ts';
import { program } from './program.ts';

const UP_MS = 120_000;
const SCRIPT_MS = 120_000;

test('npm start serves machines on an attached network, and starts again with what it had', {
  timeout: 900_000,
}, async () => {
  await using lab = await Lab.create('all-in-one');
  const segment = await lab.addSegment({ relay: 'none' });
  const { core } = lab;
  const start = program(
    'deploy/all-in-one/main.ts',
    ...['--interface', segment.coreInterface ?? '', '--data', `${lab.folder}/data`],
  );
  const first = await core.start(start, { name: 'all-in-one' });
  const [token = ''] = await first.output.waitFor(/bso_[\w-]+/, UP_MS);
  const [suggested = ''] = await first.output.waitFor(/segment add .*/, UP_MS);
  await first.waitForLine(/following the controller/, UP_MS);

  const bootswarm = async (...args: readonly string[]): Promise<string> => {
    const env = { BOOTSWARM_URL: 'http://127.0.0.1:8470', BOOTSWARM_TOKEN: token };
    const done = await core.run(program('controller/cli/main.ts', ...args), { env });
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
  };
  await bootswarm(...suggested.trim().split(' '));
  await first.waitForLine(/"segments":1/, UP_MS);

  await first.stop();
  assert.equal((await first.exit).code, 0);
  const again = await core.start(start, { name: 'all-in-one-again' });
  await again.waitForLine(/following the controller/, UP_MS);
  assert.doesNotMatch(again.output.text, /bso_/, 'the token is shown at the first start alone');

  const machine = await segment.startMachine({ name: 'bios', firmware: 'bios' });
  await machine.waitFor(/Bootswarm: booting from the local disk/, SCRIPT_MS);
  // The journal comes a moment after what it tells of.
  const told = async (): Promise<boolean> =>
    (await bootswarm('machine', 'show', machine.mac)).includes('boot from the local disk');
  for (const deadline = Date.now() + UP_MS; !(await told()); await sleep(200))
    assert.ok(Date.now() < deadline, 'the journal of the boot never reached the controller');
  await machine.powerOff();
});

test('npm start says what is wrong, and leaves nothing running', { timeout: 240_000 }, async () => {
  await using lab = await Lab.create('all-in-one-bad');
  const run = (...args: readonly string[]) =>
    lab.core.run(program('deploy/all-in-one/main.ts', '--data', `${lab.folder}/data`, ...args));

  const cases = [
    { name: 'no interface', args: [], says: /--interface is missing; this host has/ },
    { name: 'unknown option', args: ['--frobnicate'], says: /Unknown option '--frobnicate'/ },
    {
      name: 'unknown interface',
      args: ['--interface', 'eth9'],
      says: /no interface 'eth9'; name one of those/,
    },
    {
      name: 'bad port',
      args: ['--interface', lab.core.bridge, '--port', '99999'],
      says: /must be a port between/,
    },
  ];
  for (const { name, args, says } of cases) {
    const done = await run(...args);
    assert.notEqual(done.code, 0, name);
    assert.match(done.stdout + done.stderr, says, name);
  }

  const squatter = await lab.core.start(
    [process.execPath, '-e', "require('net').createServer().listen(8480, () => console.log('squatting'))"],
    { name: 'squatter' },
  );
  await squatter.waitForLine(/squatting/, UP_MS);
  const done = await run('--interface', lab.core.bridge);
  assert.notEqual(done.code, 0);
  assert.match(done.stdout + done.stderr, /TCP port 8480 is in use.*--http-port/);
});

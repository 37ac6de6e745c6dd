import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bmcOf } from './machine-bmc.ts';
import { Site } from './testing/site.ts';

const [ONE, TWO] = ['52:54:00:00:00:01', '52:54:00:00:00:02'];
let site: Site;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootswarm-power-cli-'));
  // A PDU of files: an outlet is on where its file is there.
  const script = `#!/bin/sh
f=${folder}/$2.outlet
case $1 in
  status) if [ -e $f ]; then echo on; else echo off; fi ;;
  on) if grep -q '"secret":"s3cret"'; then touch $f; else echo 'wrong secret' >&2; exit 1; fi ;;
  off) rm -f $f ;;
  *) exit 2 ;;
esac
`;
  await writeFile(join(folder, 'pdu'), script, { mode: 0o755 });
  site = await Site.start({ trust: false, controllerOptions: ['--power-commands', folder] });
});

after(async () => {
  await site[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('a secret is kept and shown nowhere, machines are turned on and off by it, and it stays as long as they need it', async () => {
  assert.match((await site.run('secret', 'set', 'pdu')).stderr, /no password was given/);
  const set = await site.runWith('s3cret\n', 'secret', 'set', 'pdu');
  assert.deepEqual([set.code, set.stdout], [0, 'Secret pdu is kept\n']);
  for (const mac of [ONE, TWO]) {
    const by = ['--program', 'pdu', '--secret', 'pdu', '--argument', '{action}', '{mac}'];
    const { code, stdout } = await site.run('machine', 'bmc', mac, 'command', ...by);
    assert.deepEqual([code, /program: +pdu/.test(stdout)], [0, true]);
  }
  assert.match((await site.run('secret', 'list')).stdout, /^pdu +\S+ +2$/m);
  assert.match((await site.run('secret', 'remove', 'pdu')).stderr, /is the one of the BMC of machine m-/);

  const on = await site.run('--json', 'machine', 'power', ONE, TWO, 'on');
  const ends = JSON.parse(on.stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual(
    ends.map(({ power }: { power: { state: string; seen: string } }) => [power.state, power.seen]),
    [
      ['done', 'on'],
      ['done', 'on'],
    ],
  );
  const off = await site.run('machine', 'power', ONE, 'off');
  assert.deepEqual([off.code, /off +done$/m.test(off.stdout)], [0, true]);
  assert.match((await site.run('machine', 'show', ONE)).stdout, /^power: +off; off done /m);

  const reset = await site.run('machine', 'power', TWO, 'reset');
  assert.deepEqual([reset.code, /cannot do reset/.test(reset.stderr)], [1, true]);
  await site.runWith('other\n', 'secret', 'set', 'pdu');
  const both = await site.run('machine', 'power', ONE, TWO, 'on');
  assert.equal(both.code, 1, 'one of them was off, and the secret is wrong');
  assert.match(both.stdout, /failed: bmc_refused/);
  assert.match(both.stdout, /on +done$/m);
  assert.equal(`${set.stderr}${on.stdout}${both.stdout}${both.stderr}`.includes('s3cret'), false);

  for (const mac of [ONE, TWO]) assert.equal((await site.run('machine', 'bmc', mac, '--remove')).code, 0);
  assert.equal((await site.run('secret', 'remove', 'pdu')).code, 0);
  assert.match(
    (await site.run('machine', 'power', ONE, 'on')).stderr,
    /has no BMC\n {2}what to do: Say by what/,
  );
});

const failures: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an action that is none', ['power', ONE, 'explode'], /^error: action: 'explode' is no action/],
  ['no machine', ['power', 'on'], /^error: machine: 'on' needs a machine before it/],
  ['a kind that is none', ['bmc', ONE, 'ilo'], /^error: kind: 'ilo'/],
  [
    'an option of another kind',
    ['bmc', ONE, 'wol', '--user', 'root'],
    /^error: --user: 'root' is not for a BMC of kind wol/,
  ],
  [
    'a BMC on the loopback',
    ['bmc', ONE, 'ipmi', '--address', '127.0.0.1', '--user', 'u', '--secret', 's'],
    /^error: address: the BMC address 127.0.0.1 is not in the networks/,
  ],
  [
    'a secret that is not there',
    ['bmc', ONE, 'ipmi', '--address', '10.0.0.1', '--user', 'u', '--secret', 's'],
    /^error: secret: there is no secret s/,
  ],
  [
    'an image for an ejection',
    ['media', ONE, 'eject', 'http://a/b'],
    /^error: image: must be given for insert/,
  ],
];

for (const [what, args, stderr] of failures)
  test(`${what} is said with what to do`, async () => {
    const done = await site.run('machine', ...args);
    assert.equal(done.code, 1);
    assert.match(done.stderr, stderr);
    assert.match(done.stderr, /\n {2}what to do: /);
  });

test('options of a BMC are named where they are wrong', () => {
  const good = { verify: true, address: '10.0.0.7', user: 'root', secret: 'bmc' };
  assert.equal(bmcOf('redfish', good).kind, 'redfish');
  for (const [kind, changes, field] of [
    ['ipmi', { cipherSuite: '0' }, '--cipher-suite'],
    ['ipmi', { port: '70000' }, '--port'],
    ['redfish', { fingerprint: 'abc' }, '--fingerprint'],
    ['redfish', { address: '0x7f.1' }, '--address'],
    ['ipmi', { verify: false }, '--no-verify'],
  ] as const)
    assert.throws(() => bmcOf(kind, { ...good, ...changes }), { field, code: 'argument_invalid' });
});

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Bmc, endpoints } from '@bootswarm/controller/contract';
import { bmcOf } from './machine-bmc.ts';
import { limitOf, orderOf } from './machine-power.ts';
import { Site } from './testing/site.ts';

const ONE = '52:54:00:00:00:01';
const TWO = '52:54:00:00:00:02';
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
  const by = ['--program', 'pdu', '--secret', 'pdu', '--argument', '{action}', '{mac}'];
  const { code, stdout } = await site.run('machine', 'bmc', ONE, 'command', ...by);
  assert.deepEqual([code, /program: +pdu/.test(stdout)], [0, true]);
  await setPdu(TWO);
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

  await setSecret('other');
  const both = await site.run('machine', 'power', ONE, TWO, 'on');
  assert.equal(both.code, 1, 'one of them was off, and the secret is wrong');
  assert.match(both.stdout, /failed: bmc_refused/);
  assert.match(both.stdout, /on +done$/m);
  assert.equal(`${set.stderr}${on.stdout}${both.stdout}${both.stderr}`.includes('s3cret'), false);

  assert.equal((await site.run('machine', 'bmc', ONE, '--remove')).code, 0);
  await site.client.call(endpoints.removeBmc, { params: { machine: TWO } });
  assert.equal((await site.run('secret', 'remove', 'pdu')).code, 0);
  assert.match(
    (await site.run('machine', 'power', ONE, 'on')).stderr,
    /has no BMC\n {2}what to do: Say by what/,
  );
});

test('all that a selector means are turned on, unless they are more than was said', async () => {
  await setSecret('s3cret');
  for (const mac of [ONE, TWO]) {
    await setPdu(mac);
    await rm(join(folder, `${mac}.outlet`), { force: true });
  }
  const outlets = async () => (await readdir(folder)).filter((name) => name.endsWith('.outlet')).length;
  const both = ['machine', 'power', '--match', `mac=${ONE}|${TWO}`, '--at-most'];
  const beyond = await site.run(...both, '1', 'on');
  assert.deepEqual([beyond.code, await outlets()], [1, 0]);
  assert.match(beyond.stderr, /^error: --match: mac=.* means more than 1 machines; nothing was done to any/m);
  const on = await site.run(...both, '2', 'on');
  assert.deepEqual([on.code, on.stdout.match(/on +done$/gm)?.length, await outlets()], [0, 2, 2]);
  const none = await site.run('machine', 'power', '--match', 'class=none', '--at-most', '2', 'off');
  assert.deepEqual([none.code, /class=none means no machine/.test(none.stderr)], [1, true]);
});

test('what the controller refuses is said with what to do', async () => {
  const done = await site.run('machine', 'media', ONE, 'eject', 'http://a/b');
  assert.equal(done.code, 1);
  assert.match(done.stderr, /^error: image: must be given for insert.*\n {2}what to do: /m);
  for (const [bmc, error] of [
    [
      { address: '127.0.0.1', secret: 's' },
      { field: 'address', code: 'bmc_address_forbidden' },
    ],
    [
      { address: '10.0.0.1', secret: 's' },
      { field: 'secret', code: 'secret_unknown' },
    ],
  ] as const) {
    const body = bmcOf('ipmi', { verify: true, user: 'u', ...bmc });
    await assert.rejects(site.client.call(endpoints.setBmc, { params: { machine: ONE }, body }), error);
  }
});

test('machines are named or matched, and never by mistake', () => {
  const wrong = (field: string) => ({ code: 'argument_invalid', field });
  assert.throws(() => orderOf('explode'), wrong('action'));
  assert.throws(() => orderOf('insert'), wrong('action'));
  const order = orderOf('off');
  assert.equal(limitOf(['m-1'], order, {}), undefined);
  assert.deepEqual(limitOf([], order, { match: 'class=a', atMost: '7' }), { match: 'class=a', most: 7 });
  for (const [named, choice, field] of [
    [[], {}, 'machine'],
    [['m-1'], { match: 'class=a', atMost: '7' }, 'machine'],
    [['m-1'], { atMost: '7' }, '--at-most'],
    [[], { match: 'class=a' }, '--match'],
    [[], { match: ' ', atMost: '7' }, '--match'],
    ...['0', '-1', '1.5', '1e3', 'all', ''].map(
      (atMost) => [[], { match: 'a', atMost }, '--at-most'] as const,
    ),
  ] as const)
    assert.throws(() => limitOf(named, order, choice), wrong(field), JSON.stringify([named, choice]));
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
    ['ilo', {}, 'kind'],
    ['wol', { address: '10.1.2.255' }, '--user'],
  ] as const)
    assert.throws(() => bmcOf(kind, { ...good, ...changes }), { field, code: 'argument_invalid' });
});

function setSecret(value: string) {
  return site.client.call(endpoints.setSecret, { params: { name: 'pdu' }, body: { value } });
}

function setPdu(machine: string) {
  const body = Bmc.parse({
    kind: 'command',
    program: 'pdu',
    secret: 'pdu',
    arguments: ['{action}', '{mac}'],
  });
  return site.client.call(endpoints.setBmc, { params: { machine }, body });
}

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, endpoints, Inspection } from '@bootswarm/controller/contract';
import { Site } from './testing/site.ts';

let site: Site;
let edge: Client;

before(async () => {
  site = await Site.start({ trust: false });
  const { joinToken } = await site.client.call(endpoints.addEdge, { body: { name: 'edge1' } });
  const { token } = await new Client({ url: site.url, token: joinToken }).call(endpoints.join, {});
  edge = new Client({ url: site.url, token });
});

after(() => site[Symbol.asyncDispose]());

const file = async (name: string, text: string): Promise<string> => {
  const path = join(site.folder, name);
  await writeFile(path, text);
  return path;
};

test('machines of a file are imported, all or none, and found by selectors', async () => {
  const good = await file(
    'good.csv',
    'mac,name,class,rack,label.team\n52:54:00:00:00:01 525400000002,web-1,web,r1,shop\n52:54:00:00:00:03,web-2,web,r2,\n52:54:00:00:00:04,db-1,db,r2,"a, b"\n',
  );
  const dry = await site.run('machine', 'import', good, '--dry-run');
  assert.equal(dry.stdout, '3 machines would be added, 0 would be changed, 0 unchanged\n');
  assert.equal(
    (await site.run('machine', 'import', good)).stdout,
    '3 machines added, 0 changed, 0 unchanged\n',
  );
  assert.equal(
    (await site.run('machine', 'import', good)).stdout,
    '0 machines added, 0 changed, 3 unchanged\n',
  );

  const bad = await file(
    'bad.yaml',
    '- { mac: 52:54:00:00:00:05 }\n- { mac: 52:54 }\n- mac: 52:54:00:00:00:06\n  name: web-1\n',
  );
  const { code, stderr } = await site.run('machine', 'import', bad);
  assert.equal(code, 1);
  assert.match(stderr, /^error: rows: 2 of 3 rows cannot be imported, and nothing was:$/m);
  assert.match(stderr, /^ {2}line 2: macs\[0\] must be a MAC address such as/m);
  assert.match(stderr, /^ {2}line 3: name is web-1, which machine m-\w+ has already: choose another$/m);
  assert.match(stderr, /what to do: Correct these and import again/);

  const head = await file('head.csv', 'mac,colour\n525400000009,red\n');
  assert.match(
    (await site.run('machine', 'import', head)).stderr,
    /head\.csv:1: there is no column 'colour'/,
  );

  const names = async (...args: string[]): Promise<string[]> =>
    JSON.parse((await site.run('--json', 'machine', 'list', ...args)).stdout)
      .map(({ name }: { name: string }) => name)
      .toSorted();
  assert.deepEqual(await names('--match', 'class=web,rack=r1|r2'), ['web-1', 'web-2']);
  assert.deepEqual(await names('--match', 'label.team="a, b"'), ['db-1']);
  assert.equal((await names('--limit', '2')).length, 2);
  const fault = await site.run('machine', 'list', '--match', 'class=web,memory>=64Q');
  assert.match(fault.stderr, /^error: match: term 2, column 19: 'memory' is a number such as 64G/);
});

test('a rule gives a class, a hand takes it, and explain tells who lost', async () => {
  assert.equal(
    (await site.run('machine', 'register', '--mac', '52:54:00:00:01:01', '--name', 'big')).code,
    0,
  );
  const rule = ['rule', 'set', 'named', '--match', 'name=big', '--set', 'class=huge', 'label.pool=ml'];
  assert.equal((await site.run(...rule)).stdout, 'Rule named: name=big sets class=huge label.pool=ml\n');
  assert.match((await site.run('rule', 'list')).stdout, /^named +name=big +class=huge label\.pool=ml$/m);
  assert.equal((await site.run('machine', 'label', 'big', 'pool=own', 'gone-')).code, 0);
  const { stdout } = await site.run('machine', 'explain', 'big');
  assert.match(stdout, /^class +huge +named +-$/m);
  assert.match(stdout, /^label\.pool +own +by hand +named \(ml\)$/m);
  assert.match(stdout, /^Nothing is assigned to it\.$/m);
  assert.match((await site.run('machine', 'class', 'big', 'tiny')).stdout, /has class tiny$/m);
  assert.match((await site.run('machine', 'class', 'big', '--from-rules')).stdout, /has class huge$/m);
  const unknown = await site.run('assign', 'a', '--profile', 'nowhere');
  assert.match(unknown.stderr, /^error: profile: there is no profile nowhere/);
});

test('what cannot be reserved is told with its reasons', async () => {
  const { stderr } = await site.run('machine', 'reserve', 'x', '--count', '2', '--match', 'class=db');
  assert.match(
    stderr,
    /^error: count: of class=db 0 can be reserved, and 2 are wanted; nothing was reserved:$/m,
  );
  assert.match(stderr, /^ {2}1 because it is unknown: db-1$/m);
  assert.match((await site.run('reservation', 'show', 'x')).stderr, /there is no reservation x/);
  const time = await site.run('machine', 'reserve', 'x', '--count', '1', '--for', 'ever');
  assert.match(time.stderr, /^error: for: 'ever' is no time such as 90m, 24h or 7d/);
});

test('what a machine and its switch call themselves commands no terminal', async () => {
  const hostile = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e$(reboot)\nlast seen: never';
  const inspection = Inspection.parse({
    format: 1,
    takenAt: new Date().toISOString(),
    firmware: 'uefi',
    system: { serial: hostile, manufacturer: hostile, product: hostile },
    processors: { model: hostile, sockets: 1, cores: 1, threads: 1 },
    memory: { totalBytes: 1, modules: [] },
    disks: [{ name: 'sda', serial: hostile, model: hostile, sizeBytes: 1000 }],
    cards: [
      {
        name: 'eth0',
        mac: '52:54:00:00:02:01',
        hasLink: true,
        neighbours: [{ chassis: hostile, port: hostile, systemName: hostile, systemDescription: hostile }],
      },
    ],
  });
  await edge.call(endpoints.sendInspection, { body: { mac: '52:54:00:00:02:01', inspection } });
  for (const args of [
    ['machine', 'show', '52:54:00:00:02:01'],
    ['machine', 'inspection', '52:54:00:00:02:01'],
    ['--json', 'machine', 'inspection', '52:54:00:00:02:01'],
    ['machine', 'list'],
  ]) {
    const { code, stdout } = await site.run(...args);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u, args.join(' '));
    if (args[0] === '--json') assert.equal(JSON.parse(stdout).inspection.system.serial, hostile);
  }
});

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endpoints } from '@bootswarm/controller/contract';
import { Site } from './testing/site.ts';

const CONF = fileURLToPath(new URL('dhcpd-conf/testing/datacenter.conf', import.meta.url));
let site: Site;

before(async () => {
  site = await Site.start();
  await site.run('edge', 'add', 'edge1');
});

after(() => site[Symbol.asyncDispose]());

test('what import writes is what segment apply takes, and importing again changes nothing', async () => {
  const out = join(site.folder, 'network.yaml');
  const imported = await site.run('dhcp', 'import', CONF, '--edge', 'edge1', '--out', out);
  assert.equal(imported.code, 0);
  assert.match(imported.stdout, /^Wrote 2 segments and 5 classes to .*; then: bootswarm segment apply /);
  assert.match(imported.stderr, /^Not taken, \d+ \(see to these\):\n {2}\S+:9: include "gone\.conf"\n/);
  assert.doesNotMatch(await readFile(out, 'utf8'), /exclusions|otherServers/, 'no defaults');
  const applied = await site.run('segment', 'apply', out);
  assert.deepEqual([applied.code, applied.stderr], [0, '']);
  const held = await site.client.call(endpoints.listSegments, {});
  assert.deepEqual(held.map(({ name }) => name).toSorted(), ['net-10-1-2-0', 'rack-one']);
  const again = await site.run('--json', 'dhcp', 'import', CONF, '--edge', 'edge1', '--apply');
  const { applied: changes, notTaken } = JSON.parse(again.stdout);
  assert.deepEqual([...new Set(changes.map(({ what }: { what: string }) => what))], ['unchanged']);
  assert.ok(notTaken.length > 10);
  assert.equal(again.stderr, '');
});

test('a file that is no dhcpd.conf is refused by its place, and nothing is written', async () => {
  const file = join(site.folder, 'broken.conf');
  const out = join(site.folder, 'broken.yaml');
  await writeFile(file, 'authoritative;\nsubnet 10.0.0.0 {\n');
  const { code, stdout, stderr } = await site.run('dhcp', 'import', file, '--edge', 'edge1', '--out', out);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^error: .*broken\.conf:2:17: this '\{' is never closed\n {2}what to do: /);
  await assert.rejects(readFile(out), { code: 'ENOENT' });
});

test('an edge that is no name is refused', async () => {
  const { code, stderr } = await site.run('dhcp', 'import', CONF, '--edge', 'Edge One');
  assert.deepEqual([code, /^error: edge: 'Edge One' is no name of an edge/.test(stderr)], [1, true]);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endpoints } from '@bootswarm/controller/contract';
import { Program } from './testing/program.ts';
import { Site } from './testing/site.ts';

let site: Site;
before(async () => {
  site = await Site.start();
});
after(() => site[Symbol.asyncDispose]());

test('an operator reads who did what, as a table and as JSON', async () => {
  await site.run('edge', 'add', 'edge1');
  const { stdout } = await site.run('events', '--kind', 'edge', '--since', '1h');
  assert.match(stdout, /^NUMBER .*\n\d+ +\S+Z +edge\.added +edge1 +operator [0-9a-f]{8}\n$/);
  const json = JSON.parse((await site.run('--json', 'events', '--kind', 'trust.root')).stdout);
  assert.deepEqual(
    json.map(({ kind }: { kind: string }) => kind),
    ['trust.root'],
  );
  const wrong = await site.run('events', '--kind', 'weather');
  assert.match(wrong.stderr, /^error: kind: names what no event is: weather; there are artefact, /);
});

test('events are followed as they happen, and Ctrl-C is no error', async () => {
  await using program = new Program(
    'cli/main.ts',
    ['--json', 'events', '--follow', '--since', '1m'],
    site.env(),
  );
  await program.printed(/edge1/);
  await site.client.call(endpoints.addEdge, { body: { name: 'edge2' } });
  await program.printed(/"kind":"edge.added","subject":"edge2"/);
  program.signal('SIGINT');
  assert.deepEqual((await program.done).code, 0);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { connect } from '@bootswarm/controller/client';
import { ControllerUnderTest } from '../../testing/controller-under-test.ts';
import { sampleSegment } from '../../testing/samples.ts';

test("the runbook's program lists, changes and follows as it says", async () => {
  const runbook = await readFile(new URL('../../../../deploy/runbook.md', import.meta.url), 'utf8');
  const [, program = ''] = /```ts\n(.*?)```/s.exec(runbook) ?? [];
  assert.match(program, /client\.events\.follow/);
  await using controller = await ControllerUnderTest.start();
  const client = connect({ url: controller.url, token: controller.operatorToken });
  await client.edges.add({ name: 'edge1' });
  await client.segments.add(sampleSegment(1, 'edge1'));
  const body = { macs: ['52:54:00:00:00:01'], labels: { rack: 'r1' } };
  const { id } = await client.machines.register(body);
  await client.machines.register({ macs: ['52:54:00:00:00:02'] });

  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, BOOTSWARM_URL: controller.url, BOOTSWARM_TOKEN: controller.operatorToken },
  });
  const ended = once(child, 'close');
  const lines: string[] = [];
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  let edges = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
  // When it follows, nobody else knows: one of these comes after that.
  while (lines.length < 2 && child.exitCode === null) {
    edges += 1;
    await client.edges.add({ name: `more${edges}` });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  await ended;
  assert.deepEqual([errors, lines[0]], ['', id]);
  assert.match(lines[1] ?? '', /^edge\.added more\d+$/);
  assert.equal((await client.segments.show('seg1')).leaseSeconds, 7200);
});

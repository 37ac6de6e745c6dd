import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoints } from '@bootswarm/controller/contract';
import { FailingPath } from './testing/failing-path.ts';
import { Program } from './testing/program.ts';
import { Site } from './testing/site.ts';

const MB = 1_000_000;
let site: Site;

before(async () => {
  site = await Site.start();
});

after(() => site[Symbol.asyncDispose]());

async function published(): Promise<readonly string[]> {
  const releases = await site.client.call(endpoints.listReleases, {});
  return releases.map(({ manifest }) => manifest.version);
}

test('publishing shows its progress in plain lines on standard error, and the result on standard output', async () => {
  const { folder, release } = await site.build('1.0', 3 * MB);
  const { code, stdout, stderr } = await site.run('image', 'publish', folder);
  assert.deepEqual([code, stdout], [0, `Published ${release}\n`]);
  const lines = stderr.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^upload: \d+ %$/);
  assert.equal(lines.at(-1), 'upload: 100 %');
  assert.deepEqual(lines, [...new Set(lines)], 'no line comes twice');
  assert.match((await site.run('image', 'list')).stdout, /^RELEASE .*\nminimal\/1\.0\/amd64 +3\.0 MB +20/);
  assert.match(
    (await site.run('image', 'show', 'minimal/1.0')).stdout,
    /^root +root +3\.0 MB +[0-9a-f]{64}$/m,
  );
});

test('with --json progress and result are JSON lines, and publishing again sends nothing', async () => {
  const { folder } = await site.build('2.0', 2 * MB);
  const first = await site.run('--json', 'image', 'publish', folder);
  const lines = first.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([first.code, first.stderr], [0, '']);
  const events = lines.slice(0, -1);
  assert.ok(events.every(({ event, fraction }) => event === 'progress' && fraction >= 0 && fraction <= 1));
  assert.deepEqual([...new Set(events.map(({ stage }) => stage))], ['upload']);
  assert.equal(lines.at(-1).manifest.version, '2.0');

  const again = await site.run('--json', 'image', 'publish', folder);
  const sizes = again.stdout.split('\n').filter((line) => line.includes('"upload"'));
  assert.equal(again.code, 0);
  assert.ok(sizes.length <= 3, 'one line for each artefact that is there already');
});

test('publishing that is interrupted ends with 130, and goes on where it was', async () => {
  const { folder } = await site.build('3.0', 40 * MB);
  const slow = await FailingPath.start(site.port, 'stall', 20 * MB);
  await using interrupted = new Program('cli/main.ts', ['image', 'publish', folder], site.env(slow.port));
  await slow.failed;
  interrupted.signal('SIGINT');
  const { code, stderr } = await interrupted.done;
  await slow[Symbol.asyncDispose]();
  assert.equal(code, 130);
  assert.match(stderr, /error: interrupted\n {2}what to do: Run the same command again/);
  assert.equal((await published()).includes('3.0'), false);

  await using rest = await FailingPath.start(site.port, 'break', 200 * MB);
  await using again = new Program('cli/main.ts', ['image', 'publish', folder], site.env(rest.port));
  assert.equal((await again.done).code, 0);
  assert.ok((await published()).includes('3.0'));
  assert.ok(rest.carried < 30 * MB, `${rest.carried} bytes were sent after the interruption`);
});

test('publishing that loses its connection goes on by itself, without sending everything again', async () => {
  const { folder } = await site.build('4.0', 40 * MB);
  await using proxy = await FailingPath.start(site.port, 'break', 24 * MB);
  await using program = new Program('cli/main.ts', ['image', 'publish', folder], site.env(proxy.port));
  const { code, stdout } = await program.done;
  assert.deepEqual([code, stdout], [0, 'Published minimal/4.0/amd64\n']);
  await proxy.failed;
  assert.ok(proxy.carried < 52 * MB, `${proxy.carried} bytes were sent for 40 MB`);
});

test('a release that is published already with other contents is refused', async () => {
  const first = await site.build('5.0', 5000);
  assert.equal((await site.run('image', 'publish', first.folder)).code, 0);
  const other = await site.build('5.0', 6000, 'rebuilt');
  const { code, stderr } = await site.run('image', 'publish', other.folder);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /error: version: release minimal\/5\.0\/amd64 is published already, with other contents/,
  );
});

test('a build that was damaged names the place, and leaves nothing', async () => {
  const { folder } = await site.build('6.0', 3 * MB);
  const root = join(folder, 'root');
  const bytes = await readFile(root);
  bytes[2_500_000] = (bytes[2_500_000] ?? 0) ^ 1;
  await writeFile(root, bytes);
  const { code, stderr } = await site.run('image', 'publish', folder);
  assert.equal(code, 1);
  assert.match(stderr, /error: root: .* piece 3 of 3 \(from byte 2097152\) differs\n {2}what to do/);
  assert.equal((await published()).includes('6.0'), false);
  assert.deepEqual(await partial(), []);
});

test('of two publishers of one version at once with other contents, one is told that it never changes', async () => {
  const builds = [await site.build('7.0', 3 * MB, '7-a'), await site.build('7.0', 2 * MB, '7-b')];
  const done = await Promise.all(builds.map(({ folder }) => site.run('image', 'publish', folder)));
  assert.deepEqual(done.map(({ code }) => code).toSorted(), [0, 1]);
  assert.match(
    done.find(({ code }) => code === 1)?.stderr ?? '',
    /error: version: release minimal\/7\.0\/amd64 is published already, with other contents\n {2}what to do/,
  );
  assert.equal((await published()).filter((version) => version === '7.0').length, 1);
});

test('two publishers of one build at once both succeed, and publish it once', async () => {
  const { folder, release } = await site.build('8.0', 20 * MB);
  const done = await Promise.all([1, 2].map(() => site.run('image', 'publish', folder)));
  assert.deepEqual(
    done.map(({ stdout }) => stdout),
    [`Published ${release}\n`, `Published ${release}\n`],
  );
  assert.equal((await published()).filter((version) => version === '8.0').length, 1);
});

test('publishing that is interrupted at any moment leaves no half release, and what a second run uses', async () => {
  const random = seeded(20260302);
  for (let n = 0; n < 6; n++) {
    const { folder } = await site.build(`9.${n}`, 12 * MB);
    await using program = new Program('cli/main.ts', ['image', 'publish', folder], site.env());
    await sleep(random() * 1200);
    program.signal('SIGINT');
    const { code, stderr } = await program.done;
    // Before it listens for the signal it ends by it; and it may have been done.
    assert.ok(code === 130 || code === 0 || code === null, `ended with ${code}: ${stderr}`);
    if (code === 0) assert.ok((await published()).includes(`9.${n}`));
    assert.equal((await site.run('image', 'publish', folder)).code, 0);
    assert.ok((await published()).includes(`9.${n}`));
    assert.deepEqual(await partial(), []);
  }
});

/** What lies half sent at the controller. */
function partial(): Promise<string[]> {
  return readdir(join(site.folder, 'data', 'artefacts', 'partial'));
}

/** Park and Miller's generator: the same moments each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

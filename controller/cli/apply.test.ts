import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, type Endpoint, endpoints, type Request, type Result } from '@bootswarm/controller/contract';
import { applyDocument, readApplyFile } from './apply.ts';
import { Program } from './testing/program.ts';
import { Site } from './testing/site.ts';

let site: Site;

before(async () => {
  site = await Site.start();
  await bootswarm('edge', 'add', 'edge1');
});

after(() => site[Symbol.asyncDispose]());

async function bootswarm(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await site.run(...args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(site.folder, name);
  await writeFile(file, text);
  return file;
}

const SEGMENT = (number: number, more = '') => `
  - name: net${number}
    subnet: 10.9.${number}.0/24
    pools: [{ first: 10.9.${number}.10, last: 10.9.${number}.20${more} }]
    edges: [edge1]`;
const RACK = `
policy:
  options: { ntp-servers: 10.0.0.1 }
  classes: [{ name: rack, match: { circuitId: 'rack*' } }]`;

test('segments and the policy that they need are applied together, and again with no change', async () => {
  const file = await fileOf('both.yaml', `segments:${SEGMENT(1, ', classes: [rack]')}${SEGMENT(2)}${RACK}`);
  const first = await bootswarm('segment', 'apply', file);
  assert.equal(first, 'DHCP policy: changed\nsegment net1: added\nsegment net2: added\n');
  const second = await bootswarm('segment', 'apply', file);
  assert.equal(second, 'DHCP policy: unchanged\nsegment net1: unchanged\nsegment net2: unchanged\n');
});

test('a class is renamed in one go, in the policy and in the pool that names it', async () => {
  const renamed = RACK.replace('name: rack', 'name: shelf');
  const file = await fileOf('renamed.yaml', `segments:${SEGMENT(1, ', classes: [shelf]')}${renamed}`);
  assert.equal(await bootswarm('segment', 'apply', file), 'DHCP policy: changed\nsegment net1: changed\n');
  assert.doesNotMatch(await bootswarm('dhcp', 'policy', 'show'), /name: rack/);
});

test('a class may name a segment that comes with it', async () => {
  const policy = `
policy:
  classes:
    - { name: shelf, match: { circuitId: 'rack*' } }
    - { name: here, match: { segments: [net3] } }`;
  const file = await fileOf('new.yaml', `segments:${SEGMENT(3, ', classes: [here]')}${policy}`);
  assert.match(await bootswarm('segment', 'apply', file), /segment net3: added/);
  assert.match(await bootswarm('dhcp', 'policy', 'show'), /net3/);
});

test('what show --yaml prints is what apply takes back', async () => {
  const file = await fileOf('shown.yaml', await bootswarm('segment', 'show', 'net2', '--yaml'));
  assert.equal(await bootswarm('segment', 'apply', file), 'segment net2: unchanged\n');
});

test('show tells people all that is set, and --yaml leaves out what holds anyway', async () => {
  const reservation = "{ mac: '52:54:00:00:00:01', hostname: first, options: { ntp-servers: 10.9.9.9 } }";
  const file = await fileOf(
    'full.yaml',
    `segments:${SEGMENT(9)}\n    reservations: [${reservation}]\n    mode: proxy`,
  );
  await bootswarm('segment', 'apply', file);
  const shown = await bootswarm('segment', 'show', 'net9');
  for (const told of ['segment: net9', 'hostname: first', 'ntp-servers: 10.9.9.9', 'mode: proxy'])
    assert.match(shown.replace(/ +/g, ' '), new RegExp(told));
  assert.doesNotMatch(await bootswarm('segment', 'show', 'net9', '--yaml'), /exclusions|leaseSeconds/);
});

test('a dry run says what would change, and changes nothing', async () => {
  const file = await fileOf('dry.yaml', `segments:${SEGMENT(4)}`);
  assert.equal(await bootswarm('segment', 'apply', '--dry-run', file), 'segment net4: would be added\n');
  assert.doesNotMatch(await bootswarm('segment', 'list'), /net4/);
});

/** Calls as its operator does, while another one acts before each change of a segment. */
class OvertakenClient extends Client {
  readonly #act: () => Promise<unknown>;

  constructor(act: () => Promise<unknown>) {
    super({ url: site.url, token: site.operatorToken });
    this.#act = act;
  }

  override async call<E extends Endpoint>(
    endpoint: E,
    request: Request<E>,
    options = {},
  ): Promise<Result<E>> {
    if (endpoint.path === endpoints.replaceSegment.path && endpoint.method === 'put') await this.#act();
    return super.call(endpoint, request, options);
  }
}

test('what another operator changed meanwhile is not overwritten', async () => {
  const mine = await readApplyFile(await fileOf('mine.yaml', `segments:${SEGMENT(5)}\n    domain: mine`));
  const theirs = await readApplyFile(
    await fileOf('theirs.yaml', `segments:${SEGMENT(5)}\n    domain: theirs`),
  );
  const options = { dryRun: false, signal: new AbortController().signal };
  for (const what of ['add', 'change']) {
    const overtaken = new OvertakenClient(() => applyDocument(site.client, theirs, options));
    await assert.rejects(applyDocument(overtaken, mine, options), { code: 'changed_meanwhile' }, what);
    assert.match(await bootswarm('segment', 'show', 'net5', '--yaml'), /domain: theirs/);
    // The second time round there is one, as it was before either changed it.
    const before = await readApplyFile(await fileOf('before.yaml', `segments:${SEGMENT(5)}`));
    await applyDocument(site.client, before, options);
  }
});

const refused: readonly (readonly [what: string, text: string, error: RegExp])[] = [
  ['no YAML', 'segments: [', /wrong\.yaml:1:\d+ is neither YAML nor JSON/],
  ['a key that nobody knows', 'segment: []', /Unrecognized key/],
  [
    'two wrong fields, both told',
    `segments:${SEGMENT(5).replace('10.9.5.20', 'x').replace('[edge1]', '[]')}`,
    /line 4: segments\[0\]\.pools\[0\]\.last must be an IPv4[\s\S]*line 5: segments\[0\]\.edges/,
  ],
  ['a segment twice', `segments:${SEGMENT(6)}${SEGMENT(6)}`, /segment net6 stands there twice/],
  ['a class that no policy has', `segments:${SEGMENT(6, ', classes: [nobody]')}`, /class nobody/],
];
for (const [what, text, error] of refused)
  test(`${what} is refused with its place`, async () => {
    const file = await fileOf('wrong.yaml', text);
    await assert.rejects(bootswarm('segment', 'apply', file), error);
  });

test('menu password prints a hash of what is piped in', async () => {
  await using program = new Program('cli/main.ts', ['menu', 'password'], site.env(), 'sesame\n');
  const { code, stdout } = await program.done;
  assert.equal(code, 0);
  assert.match(stdout, /^scrypt:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+\n$/);
});

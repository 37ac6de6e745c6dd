import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DesiredState } from '@bootswarm/controller/contract';
import { makeSigningKey, signText } from '@bootswarm/images/format';
import type { Lease } from './decide/lease.ts';
import { leaseWith, MAC, OTHER_MAC, segmentWith } from './decide/testing/world.ts';
import { EdgeStore } from './state/edge-store.ts';
import { LeaseStore } from './state/lease-store.ts';

const EDGE = fileURLToPath(new URL('./main.ts', import.meta.url));
const HOLDER = fileURLToPath(new URL('./testing/folder-holder.ts', import.meta.url));
const HOUR_MS = 3_600_000;

const temporary = () => mkdtempDisposable(join(tmpdir(), 'bootswarm-leases-'));

/** Whole seconds, as every format tells them. */
const laterMs = Math.ceil(Date.now() / 1000) * 1000 + HOUR_MS;
const live = leaseWith({ expiresAtMs: laterMs });
const others = [
  leaseWith({
    address: '10.99.0.102',
    mac: OTHER_MAC,
    state: 'released',
    expiresAtMs: laterMs - 2 * HOUR_MS,
  }),
  leaseWith({
    address: '10.99.0.9',
    mac: OTHER_MAC,
    expiresAtMs: laterMs,
    port: 'eth1/7, "left"',
    relay: '10.99.0.254',
  }),
];

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `leases` as an operator does. */
function leases(data: string, ...argv: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [EDGE, 'leases', ...argv, '--data', data],
      { timeout: 60_000 },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

async function writeLeases(data: string, ...rounds: readonly (readonly Lease[])[]): Promise<void> {
  const store = LeaseStore.open(join(data, 'leases'));
  for (const round of rounds) store.writeAll(round);
  await store.close();
}

async function kept(data: string): Promise<readonly Lease[] | undefined> {
  return (await LeaseStore.read(join(data, 'leases')))?.leases;
}

test('the leases and their history are told beside an edge at work, by table and as JSON', async () => {
  await using folder = await temporary();
  const store = LeaseStore.open(join(folder.path, 'leases'));
  store.writeAll([live, leaseWith({ address: '10.99.0.9', mac: OTHER_MAC, expiresAtMs: laterMs })]);
  store.writeAll([{ ...live, expiresAtMs: laterMs + 1000 }]);
  store.writeAll([
    leaseWith({ address: '10.99.0.9', mac: OTHER_MAC, state: 'released', expiresAtMs: Date.now() }),
  ]);
  const [list, asJson, history, historyJson] = await Promise.all([
    leases(folder.path, 'list'),
    leases(folder.path, 'list', '--json'),
    leases(folder.path, 'history', MAC.toUpperCase().replaceAll(':', '-')),
    leases(folder.path, 'history', '--json', '--limit', '2'),
  ]);
  await store.close();

  const until = new Date(laterMs + 1000).toISOString();
  const lines = list.out.split('\n');
  assert.match(lines[0] ?? '', /^ADDRESS +MAC +SEGMENT +STATE +UNTIL +UUID$/);
  assert.match(lines[1] ?? '', /^10\.99\.0\.9 +52:54:00:aa:00:02 +seg +released /);
  assert.match(lines[2] ?? '', new RegExp(`^10\\.99\\.0\\.101 +${MAC} +seg +bound +${until} +-$`));
  assert.equal(JSON.parse(asJson.out)[1].expires, until);
  // Given once; the renewal is seen in its end alone.
  assert.equal(history.out.trim().split('\n').length, 2);
  assert.match(history.out, new RegExp(`10\\.99\\.0\\.101 +${MAC} +seg +given +${until}`));
  assert.deepEqual(
    JSON.parse(historyJson.out).map(({ what, address }: Record<string, unknown>) => [what, address]),
    [
      ['given', '10.99.0.9'],
      ['released', '10.99.0.9'],
    ],
  );
});

for (const format of ['json', 'csv', 'isc'])
  test(`what one edge exports as ${format}, another takes as it is`, async () => {
    await using from = await temporary();
    await using to = await temporary();
    await writeLeases(from.path, [live, ...others]);
    const file = join(to.path, `leases.${format}`);
    const exported = await leases(from.path, 'export', '--format', format, '--out', file);
    assert.equal(exported.out, `Wrote 3 leases to ${file}\n`);
    const { out } = await leases(from.path, 'export', '--format', format);
    assert.equal(out, await readFile(file, 'utf8'));

    const imported = await leases(join(to.path, 'data'), 'import', file);
    assert.equal(imported.out, `Imported 3 leases from ${file}\n`, imported.err);
    assert.deepEqual(await kept(join(to.path, 'data')), await kept(from.path));
    const again = await leases(join(to.path, 'data'), 'import', file, '--json');
    assert.deepEqual(JSON.parse(again.out), {
      dryRun: false,
      imported: 0,
      unchanged: 3,
      stays: 0,
      forced: 0,
    });
  });

test('an import is refused while an edge runs on the folder; what it would do is told all the same', async () => {
  await using folder = await temporary();
  const data = join(folder.path, 'data');
  const file = join(folder.path, 'dhcpd.leases');
  await writeFile(
    file,
    `lease 10.99.0.101 {\n ends epoch ${laterMs / 1000};\n binding state active;\n hardware ethernet ${MAC};\n}\n`,
  );
  const edge = spawn(process.execPath, [HOLDER, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(edge.stdout), 'line');
  const [refused, dry] = await Promise.all([
    leases(data, 'import', file, '--segment', 'seg'),
    leases(data, 'import', file, '--segment', 'seg', '--dry-run'),
  ]);
  edge.kill('SIGKILL');
  await once(edge, 'exit');
  assert.equal(refused.code, 1);
  assert.match(refused.err, new RegExp(`process ${edge.pid} works .*\n {2}what to do: Stop that edge`));
  assert.equal(dry.out, `Would import 1 lease from ${file}\n`);
  assert.deepEqual(await readdir(data), ['lock']);

  assert.match((await leases(data, 'import', file, '--segment', 'seg')).out, /^Imported 1 lease /);
  assert.deepEqual(await kept(data), [live]);
});

test('a lease that is live for another machine is named and nothing is imported, unless by force', async () => {
  await using folder = await temporary();
  await writeLeases(folder.path, [live]);
  const file = join(folder.path, 'other.csv');
  await writeFile(
    file,
    ['101', '102'].reduce(
      (text, last) => `${text}10.99.0.${last},${OTHER_MAC},seg,bound,${new Date(laterMs).toISOString()}\n`,
      'address,mac,segment,state,expires\n',
    ),
  );
  const refused = await leases(folder.path, 'import', file, '--json');
  const { error } = JSON.parse(refused.err);
  assert.equal(error.code, 'leases_conflict');
  assert.match(
    error.message,
    new RegExp(`10\\.99\\.0\\.101: here bound to ${MAC} until .*, in the file bound to ${OTHER_MAC}`),
  );
  assert.deepEqual(await kept(folder.path), [live]);

  const forced = await leases(folder.path, 'import', file, '--force');
  assert.equal(forced.out, `Imported 2 leases from ${file}; 1 took the place of live ones\n`);
  assert.deepEqual(
    (await kept(folder.path))?.map(({ mac }) => mac),
    [OTHER_MAC, OTHER_MAC],
  );
  const { out } = await leases(folder.path, 'history', '10.99.0.101', '--json');
  assert.deepEqual(
    JSON.parse(out).map(({ what, mac }: Record<string, unknown>) => [what, mac]),
    [
      ['given', MAC],
      ['ended', MAC],
      ['given', OTHER_MAC],
    ],
  );
});

test('one wrong line keeps the whole file out, and every one is named', async () => {
  await using folder = await temporary();
  const file = join(folder.path, 'leases.csv');
  const end = new Date(laterMs).toISOString();
  await writeFile(
    file,
    `address,mac,state,expires\n10.99.0.101,${MAC},bound,${end}\n10.99.0.102,${MAC},bond,${end}\n192.0.2.1,${MAC},bound,${end}\n`,
  );
  const store = EdgeStore.open(join(folder.path, 'state'), { onLoss: () => assert.fail() });
  const state: DesiredState = DesiredState.parse({
    ...{ format: 1, edge: 'edge', revision: 1, segments: [segmentWith()], machines: [], releases: [] },
  });
  await store.keepDesiredState(signText(JSON.stringify(state), makeSigningKey().privateKey));
  await store.close();

  const { code, err } = await leases(folder.path, 'import', file);
  assert.equal(code, 1);
  assert.match(err, /\n {2}line 3 state: .*\n {2}line 4: 192\.0\.2\.1 is in no segment of this edge/);
  assert.equal(await kept(folder.path), undefined);

  await writeFile(file, `address,mac,state,expires\n10.99.0.101,${MAC},bound,${end}\n`);
  assert.match((await leases(folder.path, 'import', file)).out, /^Imported 1 lease /);
  assert.deepEqual(await kept(folder.path), [live], 'placed by the subnet of the kept desired state');
});

const refusals: readonly (readonly [string, readonly string[], string])[] = [
  ['a folder without leases', ['list'], 'leases_missing'],
  ['a file that is not there', ['import', 'nowhere.csv'], 'lease_file_unreadable'],
  ['a file whose format is unknown', ['import', 'nowhere.txt'], 'lease_format_unknown'],
  ['a segment that can be none', ['import', 'x.csv', '--segment', 'A b'], 'lease_option_wrong'],
  ['a limit that is none', ['history', '--limit', '0'], 'lease_option_wrong'],
  ['neither address nor MAC', ['history', '10.1'], 'lease_holder_unclear'],
];
for (const [name, argv, code] of refusals)
  test(`is refused with what to do: ${name}`, async () => {
    await using folder = await temporary();
    const ran = await leases(folder.path, ...argv, '--json');
    assert.equal(ran.code, 1);
    assert.equal(JSON.parse(ran.err).error.code, code);
    assert.equal(ran.out, '');
  });

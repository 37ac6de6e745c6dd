import assert from 'node:assert/strict';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeReadiness } from '@bootswarm/controller/contract';
import {
  bootFrom,
  countedBytes,
  layFarEdge,
  publishRandom,
  readyLine,
  Site,
  shape,
  startFarEdge,
} from '../boot/index.ts';
import { type Host, Lab, type Process } from '../lab/index.ts';

const MIB = 1024 * 1024;
const ROOT_BYTES = 24 * MIB;
const MBIT = 40;
const NAMES = ['berlin1', 'berlin2', 'berlin3', 'far'] as const;
type EdgeName = (typeof NAMES)[number];
const IN_BERLIN: readonly EdgeName[] = ['berlin1', 'berlin2', 'berlin3'];
const READY_MS = 120_000;
const SWARM_PORT = 8482;

/** An edge as a process, in a namespace that counts what comes from the controller. */
interface FarEdge {
  readonly host: Host;
  process: Process;
}

describe('edges that fetch from one another', { timeout: 600_000 }, () => {
  let lab: Lab;
  let site: Site;
  const edges = new Map<EdgeName, FarEdge>();
  let published = 0;

  before(async () => {
    lab = await Lab.create('edges');
    site = await Site.start(lab);
    await shape(lab.core, lab.core.bridge, 2 * MBIT);
    for (const [at, name] of NAMES.entries()) {
      const host = await layFarEdge(lab, name, at, MBIT);
      await nft(
        host,
        `table ip counted { chain in { type filter hook input priority 0; ip saddr ${lab.core.address} counter; }; }`,
      );
      edges.set(name, { host, process: await startFarEdge(site, name, host) });
    }
    for (const name of IN_BERLIN) await site.bootswarm('edge', 'set', name, '--site', 'berlin');
  });

  after(() => lab[Symbol.asyncDispose]());

  test('of a site one fetches from outside, and the others from it', async (t) => {
    const before = await fromController();
    const { release, sha256 } = await publish();
    await boot(IN_BERLIN, release);
    await ready(IN_BERLIN, sha256);
    const came = sinceThen(before, await fromController());
    t.diagnostic(JSON.stringify(came));
    const outside = IN_BERLIN.filter((name) => came[name] > ROOT_BYTES / 2);
    assert.deepEqual(outside, ['berlin1']);
    assert.ok(came.berlin1 < 1.1 * ROOT_BYTES, `${came.berlin1} bytes to berlin1`);
    for (const name of ['berlin2', 'berlin3'] as const)
      assert.ok(came[name] < MIB, `${came[name]} bytes to ${name}`);
    const found = (await site.bootswarm('edge', 'ready', release)) as EdgeReadiness[];
    const told = Object.fromEntries(found.map(({ edge, ready: isReady }) => [edge, isReady]));
    assert.deepEqual(told, { berlin1: true, berlin2: true, berlin3: true, far: false });
  });

  test('one that lost its file attests it no more, and has it again from its neighbours', async () => {
    const { release, sha256 } = await publish();
    await boot(IN_BERLIN, release);
    await ready(IN_BERLIN, sha256);
    const before = await fromController();
    const { process } = edge('berlin2');
    const since = process.output.text.length;
    rmSync(join(lab.folder, 'berlin2/artefacts/whole', sha256));
    await process.output.waitFor(/root\.squashfs is gone from the disk/, 40_000, since);
    await process.output.waitFor(readyLine(sha256), READY_MS, since);
    const { berlin2 } = sinceThen(before, await fromController());
    assert.ok(berlin2 < MIB, `${berlin2} bytes from the controller`);
  });

  test('a controller whose swarm cannot be reached is asked by HTTP', async () => {
    const { release, sha256 } = await publish();
    const drop = `table ip shut { chain out { type filter hook output priority 0; tcp dport ${SWARM_PORT} drop; }; }`;
    await nft(edge('far').host, drop);
    await boot(['far'], release);
    await ready(['far'], sha256);
    await nft(edge('far').host, 'delete table ip shut');
  });

  test('where the one that fetches for its site is killed, another takes over; it goes on where it was', async (t) => {
    const { release, sha256 } = await publish();
    const sent = await countedBytes(lab.core, lab.core.bridge, 'tx');
    await boot(IN_BERLIN, release);
    const first = edge('berlin1');
    const partial = join(lab.folder, 'berlin1/artefacts/partial', sha256);
    while (storedBytes(partial) < 4 * MIB) await sleep(50);
    await first.process.kill9();
    await ready(['berlin2', 'berlin3'], sha256);
    const before = await fromController();
    first.process = await startFarEdge(site, 'berlin1', first.host, 'invite');
    await ready(['berlin1'], sha256);
    const upstream = (await countedBytes(lab.core, lab.core.bridge, 'tx')) - sent;
    const { berlin1 } = sinceThen(before, await fromController());
    t.diagnostic(`${upstream} bytes left the controller, ${berlin1} of them to the one that came back`);
    assert.ok(berlin1 < MIB, `${berlin1} bytes from the controller`);
    assert.ok(upstream < 2 * ROOT_BYTES, `${upstream} bytes left the controller`);
  });

  function edge(name: EdgeName): FarEdge {
    const found = edges.get(name);
    assert.ok(found, name);
    return found;
  }

  function publish(): ReturnType<typeof publishRandom> {
    published += 1;
    return publishRandom(site, ROOT_BYTES, String(published));
  }

  function boot(names: readonly EdgeName[], release: string): Promise<void> {
    return bootFrom(site, new Map(names.map((name) => [name, NAMES.indexOf(name)])), release);
  }

  async function ready(names: readonly EdgeName[], sha256: string): Promise<void> {
    await Promise.all(names.map((name) => edge(name).process.waitForLine(readyLine(sha256), READY_MS)));
    // The controller hears of it within a second.
    await sleep(1500);
  }

  async function fromController(): Promise<Record<EdgeName, number>> {
    const counted = await Promise.all(
      NAMES.map(async (name) => {
        const { stdout } = await edge(name).host.run(['nft', 'list', 'table', 'ip', 'counted']);
        return [name, Number(/bytes (\d+)/.exec(stdout)?.[1])] as const;
      }),
    );
    return Object.fromEntries(counted) as Record<EdgeName, number>;
  }
});

function sinceThen(
  before: Readonly<Record<EdgeName, number>>,
  now: Readonly<Record<EdgeName, number>>,
): Record<EdgeName, number> {
  return Object.fromEntries(NAMES.map((name) => [name, now[name] - before[name]])) as Record<
    EdgeName,
    number
  >;
}

async function nft(host: Host, rules: string): Promise<void> {
  const { code, stderr } = await host.run(['nft', rules]);
  if (code !== 0) throw new Error(`nft: ${stderr}`);
}

/** Of a file with holes, or none yet. */
function storedBytes(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

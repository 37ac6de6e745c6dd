import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeReadiness } from '@bootswarm/controller/contract';
import {
  bootFrom,
  countedBytes,
  isThorough,
  layFarEdge,
  publishRandom,
  readyLine,
  Site,
  startFarEdge,
  uplink,
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

describe('edges that fetch from one another', { timeout: 1_200_000 }, () => {
  let lab: Lab;
  let site: Site;
  const edges = new Map<EdgeName, FarEdge>();
  let published = 0;

  before(async () => {
    lab = await Lab.create('edges');
    site = await Site.start(lab);
    await lab.core.shape(lab.core.bridge, uplink(2 * MBIT));
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
    const [first, ...others] = IN_BERLIN.map((name) => came[name]).toSorted((a, b) => b - a);
    assert.ok((first ?? 0) < 1.1 * ROOT_BYTES, `${first} bytes to the one that fetches`);
    for (const bytes of others) assert.ok(bytes < MIB, `${bytes} bytes to another`);
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

  // Its silence is waited for, which takes a minute.
  test('where the one that fetches for its site is killed, another takes over; it goes on where it was', {
    skip: !isThorough,
  }, async (t) => {
    const { release, sha256 } = await publish();
    const sent = await countedBytes(lab.core, lab.core.bridge, 'tx');
    await boot(IN_BERLIN, release);
    const begun = await fromController();
    let first: EdgeName | undefined;
    while (first === undefined) {
      await sleep(50);
      const came = sinceThen(begun, await fromController());
      first = IN_BERLIN.find((name) => came[name] > ROOT_BYTES / 4);
    }
    const killed = edge(first);
    await killed.process.kill9();
    await ready(
      IN_BERLIN.filter((name) => name !== first),
      sha256,
    );
    const before = await fromController();
    killed.process = await startFarEdge(site, first, killed.host, 'invite');
    await ready([first], sha256);
    const upstream = (await countedBytes(lab.core, lab.core.bridge, 'tx')) - sent;
    const { [first]: again } = sinceThen(before, await fromController());
    t.diagnostic(`${upstream} bytes left the controller, ${again} of them to ${first} as it came back`);
    assert.ok(again < MIB, `${again} bytes from the controller`);
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

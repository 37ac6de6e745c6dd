import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GroundHost, PEER_PORT, SwarmGround, type SwarmPeer } from '../swarm/index.ts';

const MIB = 1024 * 1024;
const COMPLETE_MS = 180_000;
/** At which the root takes about five seconds: there is a middle in which something may happen. */
const RATE = { upload: 4 * MIB };
const HALF = 10;
const MACHINES = 4;

interface Machine extends GroundHost {
  readonly peer: SwarmPeer;
}

describe('what goes out in the middle of a wave leaves the others to complete', {
  timeout: 1_200_000,
}, () => {
  let ground: SwarmGround;
  const hosts: GroundHost[] = [];
  const running: SwarmPeer[] = [];

  before(async () => {
    ground = await SwarmGround.lay('swarm-outages');
    for (let place = 0; place <= MACHINES + 1; place++) hosts.push(await ground.addHost(`machine${place}`));
  });

  afterEach(async () => {
    await Promise.all(running.map(({ process }) => process.kill9()));
    // The next wave begins with nothing.
    for (const { path } of running.splice(0)) rmSync(path, { force: true });
  });

  after(() => ground[Symbol.asyncDispose]());

  async function start(
    host: GroundHost,
    options: Parameters<SwarmGround['startPeer']>[1],
  ): Promise<SwarmPeer> {
    const peer = await ground.startPeer(host, options);
    running.push(peer);
    return peer;
  }

  /** A seed and machines that know each other. The edge gives as well where they are told of it, or by HTTP. */
  async function startWave(
    options: {
      readonly trackerUrl?: string;
      readonly webseedUrl?: string;
      readonly lastDiskMib?: number;
    } = {},
  ): Promise<{ readonly seed: Machine; readonly machines: readonly Machine[] }> {
    const neighbours = hosts.slice(0, -1).map(({ address }) => ({ host: address, port: PEER_PORT }));
    const { lastDiskMib, ...sources } = options;
    const machines = await Promise.all(
      hosts.slice(0, -1).map(async (host, place): Promise<Machine> => {
        const isSeed = place === 0;
        const others = neighbours.filter((_, each) => each !== place);
        const own = lastDiskMib !== undefined && place === MACHINES ? { diskMib: lastDiskMib } : {};
        const plan = { isSeed, isEdge: isSeed, neighbours: others, rateLimits: RATE, ...sources, ...own };
        return { ...host, peer: await start(host, plan) };
      }),
    );
    const [seed, ...others] = machines;
    assert.ok(seed);
    return { seed, machines: others };
  }

  /** Resolves when every one of them has so many pieces, and not every one has all. */
  async function untilHalf(machines: readonly Machine[], pieces = HALF): Promise<void> {
    for (const deadline = Date.now() + COMPLETE_MS; Date.now() < deadline; await sleep(50)) {
      const reports = await Promise.all(machines.map(({ peer }) => peer.report()));
      const held = reports.map(({ stats }) => stats.pieces);
      if (Math.min(...held) < pieces) continue;
      assert.ok(
        reports.some(({ stats }) => stats.pieces < stats.pieceCount),
        `it was over before: ${held.join()}`,
      );
      return;
    }
    throw new Error(`they did not get ${pieces} pieces each`);
  }

  async function allExact(machines: readonly Machine[]): Promise<void> {
    await Promise.all(machines.map(({ peer }) => peer.complete(COMPLETE_MS)));
    for (const { peer, host } of machines) {
      const { wrongWrites, stats } = await peer.report();
      assert.deepEqual([wrongWrites, stats.banned], [[], []], host.label);
      assert.ok(peer.isExact, host.label);
    }
  }

  test('the seeder is killed: what no machine has comes by HTTP', async (t) => {
    const { webseedUrl } = ground;
    const { seed, machines } = await startWave({ webseedUrl });
    await untilHalf(machines, 3);
    await seed.peer.process.kill9();
    await allExact(machines);
    const reports = await Promise.all(machines.map(({ peer }) => peer.report()));
    const http = reports.reduce((sum, { stats }) => sum + stats.fromWebseed, 0);
    t.diagnostic(`${(http / MIB).toFixed(1)} MiB by HTTP for ${machines.length} machines`);
  });

  test('half of the machines are switched off at once', async () => {
    const { machines } = await startWave();
    await untilHalf(machines);
    const held = await Promise.all(
      machines.map(async (machine) => ({ machine, pieces: (await machine.peer.report()).stats.pieces })),
    );
    // Those that have most go: the others cannot be done already.
    const byPieces = held.toSorted((a, b) => b.pieces - a.pieces).map(({ machine }) => machine);
    const [off, on] = [byPieces.slice(0, MACHINES / 2), byPieces.slice(MACHINES / 2)];
    // Nobody says goodbye whose power is gone.
    for (const { port } of off) await ground.segment.ip(`link set ${port} down`);
    try {
      await Promise.all(off.map(({ peer }) => peer.process.kill9()));
      await allExact(on);
    } finally {
      for (const { port } of off) await ground.segment.ip(`link set ${port} up`);
    }
  });

  test('a machine stands still: the others do not wait for it, and it goes on where it was', async () => {
    const { machines } = await startWave();
    await untilHalf(machines, 5);
    const [still, ...others] = machines;
    assert.ok(still);
    process.kill(still.peer.process.pid, 'SIGSTOP');
    try {
      await allExact(others);
    } finally {
      process.kill(still.peer.process.pid, 'SIGCONT');
    }
    await allExact([still]);
  });

  test('a disk is full: its machine says so and leaves, the others complete', async () => {
    const { machines } = await startWave({ lastDiskMib: 8 });
    const full = machines.at(-1);
    assert.ok(full);
    await assert.rejects(full.peer.complete(COMPLETE_MS), /failed ENOSPC/);
    await allExact(machines.slice(0, -1));
    const { stats, wrongWrites } = await full.peer.report();
    assert.deepEqual([stats.peers, wrongWrites], [[], []]);
    assert.ok(stats.pieces <= 8);
  });

  test('a segment falls apart: the rest completes meanwhile, and the others once it is whole', async () => {
    const { machines } = await startWave();
    await untilHalf(machines, 5);
    const [apart, rest] = [machines.slice(0, 2), machines.slice(2)];
    for (const { port } of apart) await ground.segment.ip(`link set ${port} down`);
    try {
      await allExact(rest);
      await Promise.all(
        apart.map(async ({ host, peer }) => {
          const { pieces, pieceCount } = (await peer.report()).stats;
          assert.ok(pieces < pieceCount, `${host.label} has ${pieces}`);
        }),
      );
    } finally {
      for (const { port } of apart) await ground.segment.ip(`link set ${port} up`);
    }
    await allExact(apart);
  });

  test('tracker and edge are killed: who knows others goes on, and who comes later waits for the edge', async () => {
    const { trackerUrl } = ground;
    const { machines } = await startWave({ trackerUrl });
    await untilHalf(machines, 5);
    await ground.site.edge.kill9();
    const late = hosts.at(-1);
    assert.ok(late);
    const newcomer = await start(late, { trackerUrl });
    await allExact(machines);
    assert.equal((await newcomer.report()).stats.pieces, 0);
    await ground.restartEdge();
    await allExact([{ ...late, peer: newcomer }]);
  });
});

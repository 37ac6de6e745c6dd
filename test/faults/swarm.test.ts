import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { announceQuery } from '@bootswarm/images/format';
import {
  type AttackReport,
  type GroundHost,
  PEER_PORT,
  type PeerReport,
  type SpoilReport,
  SwarmGround,
} from '../swarm/index.ts';

const MIB = 1024 * 1024;
const COMPLETE_MS = 40_000;
const MOST_WRONG_PIECES = 3;
const DROP_MS = 1000;
const STALL_MS = 100;
const HTTP_MS = 10_000;

describe('faults of the swarm', { timeout: 300_000 }, () => {
  let ground: SwarmGround;
  let artefact: string;
  let original: string;

  before(async () => {
    ground = await SwarmGround.lay('faults-swarm');
    ({ json: artefact, original } = ground.shared);
  });

  after(() => ground[Symbol.asyncDispose]());

  const at = ({ address }: GroundHost): { readonly host: string; readonly port: number } => ({
    host: address,
    port: PEER_PORT,
  });
  /** Not a byte was stored that should not be, and nobody was banned but these. */
  const assertClean = ({ wrongWrites, stats }: PeerReport, banned: readonly string[]): void => {
    assert.deepEqual(wrongWrites, []);
    assert.deepEqual(stats.banned, banned);
    assert.ok(stats.wrongPieces <= MOST_WRONG_PIECES, `${stats.wrongPieces} wrong pieces`);
  };

  test('16: a poisoned peer is banned within three pieces, and not let in again; no bad byte is stored', async (t) => {
    const [liar, seed, machine] = [
      await ground.addHost('poisoned'),
      await ground.addHost('honest'),
      await ground.addHost('victim'),
    ];
    const poisoned = await ground.startHostile(liar, { kind: 'poison', artefact, original, port: PEER_PORT });
    await poisoned.waitForLine(/^\{"port"/, 10_000);
    await ground.startPeer(seed, { isSeed: true, rateLimits: { upload: 4 * MIB } });
    const victim = await ground.startPeer(machine, { neighbours: [at(liar), at(seed)] });
    await victim.complete(COMPLETE_MS);
    const report = await victim.report();
    t.diagnostic(`${report.stats.wrongPieces} wrong pieces, ${report.stats.wasted} bytes for nothing`);
    assertClean(report, [liar.address]);
    assert.ok(report.stats.wrongPieces > 0);
    assert.ok(victim.isExact);
    // Neither where it comes by itself, nor in another process, nor while the swarm goes on.
    const order = { kind: 'greet', artefact, from: liar.address, to: at(machine) } as const;
    assert.deepEqual(await ground.runHostile(liar, order), [{ isLetIn: false }]);
    await poisoned.stop();
    assert.deepEqual(await ground.runHostile(liar, order), [{ isLetIn: false }]);
    const stranger = await ground.addHost('stranger');
    const other = { ...order, from: stranger.address };
    assert.deepEqual(await ground.runHostile(stranger, other), [{ isLetIn: true }]);
  });

  test('17: of a piece that several gave the liar is found, and no honest peer is blamed', async (t) => {
    const [liar, machine] = [await ground.addHost('liar'), await ground.addHost('mixing')];
    const seeds = [await ground.addHost('seed1'), await ground.addHost('seed2')];
    for (const seed of seeds) await ground.startPeer(seed, { isSeed: true, rateLimits: { upload: 2 * MIB } });
    const victim = await ground.startPeer(machine, { neighbours: seeds.map(at) });
    const order = { kind: 'spoil', artefact, from: liar.address, to: at(machine) } as const;
    const [told] = (await ground.runHostile(liar, order)) as [SpoilReport];
    await victim.complete(COMPLETE_MS);
    const report = await victim.report();
    t.diagnostic(`${told.visits} visits, ${report.stats.wrongPieces} wrong pieces`);
    assertClean(report, [liar.address]);
    assert.ok(victim.isExact);
  });

  test('18: hostile input is dropped within a second, and the event loop never stands still', async (t) => {
    const [attacker, seed] = [await ground.addHost('attacker'), await ground.addHost('attacked')];
    const machine = await ground.addHost('unharmed');
    const attacked = await ground.startPeer(seed, { isSeed: true, rateLimits: { upload: 4 * MIB } });
    // What came before is the program's own start.
    const before = await attacked.report();
    const fetching = await ground.startPeer(machine, { neighbours: [at(seed)] });
    const order = { kind: 'attack', artefact, from: attacker.address, to: at(seed) } as const;
    const attacks = (await ground.runHostile(attacker, order)) as readonly AttackReport[];
    const report = await attacked.report();
    const slowest = Math.max(...attacks.map(({ droppedMs }) => droppedMs ?? Number.POSITIVE_INFINITY));
    const told = [slowest, report.delayMs, report.workMs].map((ms) => ms.toFixed(1)).join(', ');
    t.diagnostic(`${attacks.length} attacks: dropped, delay, work at most ${told} ms`);
    assert.ok(attacks.length >= 25);
    for (const { name, droppedMs } of attacks)
      assert.ok(droppedMs !== null && droppedMs < DROP_MS, `${name}: ${droppedMs}`);
    // Work and time: that something else had the processor is not its fault, and it never waits for anything.
    const stallMs = Math.min(report.delayMs, report.workMs);
    assert.ok(stallMs < STALL_MS, `the event loop stood still for ${stallMs.toFixed(0)} ms`);
    const grown = (report.residentBytes - before.residentBytes) / MIB;
    assert.ok(grown < 100, `grown by ${grown.toFixed(0)} MiB`);
    await fetching.complete(COMPLETE_MS);
    assert.ok(fetching.isExact);
  });

  test('19: announces with foreign addresses or unknown hashes are refused, and swarms bounded', async () => {
    const { host, address } = await ground.addHost('announcer');
    const infohash = ground.shared.artefact.infohash ?? '';
    const announce = async (
      query: { readonly infohash?: string; readonly port?: number; readonly from?: string },
      more = '',
    ): Promise<string> => {
      const { from, ...rest } = query;
      const told = { infohash, port: 1, left: 1, event: undefined, wantedPeers: undefined, ...rest };
      const url = `${ground.trackerUrl}?${announceQuery(told, new Uint8Array(20))}${more}`;
      const source = from === undefined ? [] : ['--interface', from];
      const into = join(ground.lab.folder, 'announced');
      const argv = ['curl', '-sS', '--http1.1', ...source, '-w', '%{http_code}', '-o', into, url];
      const { stdout, stderr } = await host.run(argv);
      assert.equal(stdout, '200', stderr);
      return (await host.run(['cat', into])).stdout;
    };
    assert.match(await announce({}), /8:completei\d+e/);
    assert.match(await announce({ infohash: '0'.repeat(40) }), /failure reason.*no release here/);

    // A host with an address of no segment: the edge knows the way back, and refuses it.
    await host.ip('address add 192.0.2.7/32 dev eth0');
    await ground.lab.core.ip(`route add 192.0.2.7 via ${address}`);
    assert.match(await announce({ from: '192.0.2.7' }), /failure reason.*no segment of this edge/);
    await ground.lab.core.ip('route del 192.0.2.7');

    // An address that is claimed is not believed: nobody is told of it, but of who claimed it.
    await announce({ port: 7001 }, '&ip=192.0.2.8&ipv4=192.0.2.8');
    const peers = async (): Promise<readonly string[]> => {
      const { host: asker } = await ground.addHost(`asker${Math.floor(performance.now())}`);
      const url = `${ground.trackerUrl}?${announceQuery(
        { infohash, port: 2, left: 1, event: 'started', wantedPeers: undefined },
        new Uint8Array(20),
      )}`;
      const { stdout } = await asker.run(['sh', '-c', `curl -sS '${url}' | od -An -v -tx1 | tr -d ' \\n'`]);
      const [, compact = ''] = /353a7065657273(?:3\d)+3a((?:[0-9a-f]{12})*)/.exec(stdout) ?? [];
      return (compact.match(/.{12}/g) ?? []).map((each) => {
        const octets = (each.match(/../g) ?? []).map((octet) => Number.parseInt(octet, 16));
        return `${octets.slice(0, 4).join('.')}:${(octets[4] ?? 0) * 256 + (octets[5] ?? 0)}`;
      });
    };
    const told = await peers();
    assert.ok(told.includes(`${address}:7001`), told.join());
    assert.ok(!told.some((peer) => peer.startsWith('192.0.2.')), told.join());

    // One address has four places, whatever it announces.
    const config = Array.from({ length: 300 }, (_, turn) => {
      const query = announceQuery(
        { infohash, port: 8000 + turn, left: 1, event: 'started', wantedPeers: 0 },
        new Uint8Array(20),
      );
      return `url = "${ground.trackerUrl}?${query}"\noutput = "/dev/null"\n`;
    });
    const file = join(ground.lab.folder, 'announces');
    writeFileSync(file, config.join('next\n'));
    const { code, stderr } = await host.run(['curl', '-sS', '-f', '-K', file], { timeoutMs: 60_000 });
    assert.equal(code, 0, stderr);
    const ofOne = (await peers()).filter((peer) => peer.startsWith(`${address}:`));
    assert.deepEqual(
      ofOne.toSorted(),
      [296, 297, 298, 299].map((turn) => `${address}:${8000 + turn}`).toSorted(),
    );
  });

  const kinds = { choke: 'choke', mute: 'answer nothing', trickle: 'give in drops' } as const;
  for (const kind of ['choke', 'mute', 'trickle'] as const)
    test(`20: where all peers ${kinds[kind]}, HTTP begins within ten seconds`, async (t) => {
      const machine = await ground.addHost(`${kind}0`);
      const { webseedUrl } = ground;
      const dead = await ground.addHost(`${kind}9`);
      const victim = await ground.startPeer(machine, { neighbours: [at(dead)], webseedUrl });
      for (const place of [1, 2]) {
        const hostile = await ground.addHost(`${kind}${place}`);
        const order = { kind, artefact, from: hostile.address, to: at(machine) } as const;
        await (await ground.startHostile(hostile, order)).waitForLine(/^\{"withheld"/, 10_000);
      }
      // From here on it has all the peers that it will have.
      const startedAt = performance.now();
      while ((await victim.report()).stats.fromWebseed === 0 && performance.now() - startedAt < COMPLETE_MS)
        await sleep(100);
      const tookMs = performance.now() - startedAt;
      await victim.complete(COMPLETE_MS);
      const report = await victim.report();
      t.diagnostic(`HTTP began after ${(tookMs / 1000).toFixed(1)} s`);
      assertClean(report, []);
      assert.ok(report.stats.fromWebseed >= ground.shared.artefact.length);
      assert.ok(tookMs < HTTP_MS, `${tookMs} ms`);
      assert.ok(victim.isExact);
    });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryPieces } from './piece-store.ts';
import { HostilePeer } from './testing/hostile-peer.ts';
import { PoisonedStore } from './testing/poisoned-store.ts';
import { listenAt, makeSample } from './testing/sample.ts';

const MIB = 1024 * 1024;
const LIAR = '127.0.7.76';
const HONEST = '127.0.7.70';

describe('a piece that several gave', { timeout: 60_000 }, () => {
  test('tells who lied, however often it comes back, and never blames the honest', async (t) => {
    const sample = await makeSample(24 * MIB, MIB);
    const { artefact, infohash, bytes } = sample;
    const [honest, machine] = [await listenAt(70), await listenAt(71)];
    t.after(() => Promise.all([honest.stop(), machine.stop()]));
    honest.join(artefact, infohash, new MemoryPieces(artefact, bytes), { rateLimits: { upload: 6 * MIB } });
    const store = new MemoryPieces(artefact);
    const wrong: number[] = [];
    const write = store.write.bind(store);
    store.write = (index, piece) => {
      if (Buffer.compare(piece, bytes.subarray(index * MIB, index * MIB + piece.length)) !== 0)
        wrong.push(index);
      return write(index, piece);
    };
    const swarm = machine.join(artefact, infohash, store);
    swarm.addPeers([{ host: HONEST, port: honest.port }]);
    let visits = 0;
    const to = { host: '127.0.7.71', port: machine.port };
    while (machine.banned.length === 0 && visits < 40 && store.have.size < artefact.pieces.length) {
      visits += 1;
      const liar = await HostilePeer.greet({ from: LIAR, to, infohash, extended: false });
      await liar.spoil({ pieceCount: artefact.pieces.length, blocks: 3, after: 'go' });
      // The honest one goes on with what the liar began.
      await sleep(200);
    }
    await swarm.completed;
    assert.deepEqual(machine.banned, [LIAR]);
    assert.deepEqual(wrong, []);
    assert.equal(Buffer.compare(store.bytes, bytes), 0);
    assert.ok(swarm.stats().wrongPieces <= 3, `${swarm.stats().wrongPieces} wrong pieces`);
    t.diagnostic(`${visits} visits; ${(swarm.stats().wasted / MIB).toFixed(1)} MiB for nothing`);
    const again = await HostilePeer.greet({ from: LIAR, to, infohash });
    await again.closed;
  });

  test('is one of three at most, also where the liar comes by many connections at once', async (t) => {
    const { artefact, infohash, bytes } = await makeSample(24 * MIB, MIB);
    const [honest, machine] = [await listenAt(72), await listenAt(73)];
    t.after(() => Promise.all([honest.stop(), machine.stop()]));
    honest.join(artefact, infohash, new MemoryPieces(artefact, bytes), { rateLimits: { upload: 12 * MIB } });
    const store = new MemoryPieces(artefact);
    const swarm = machine.join(artefact, infohash, store);
    swarm.addPeers([{ host: '127.0.7.72', port: honest.port }]);
    const to = { host: '127.0.7.73', port: machine.port };
    const visit = async (place: number): Promise<void> => {
      while (machine.banned.length === 0 && !store.have.isWhole) {
        const liar = await HostilePeer.greet({ from: LIAR, to, infohash, extended: false });
        await liar.spoil({ pieceCount: artefact.pieces.length, blocks: 1 + place, after: 'go' });
        await sleep(50);
      }
    };
    await Promise.all([swarm.completed, ...[0, 1, 2, 3, 4, 5].map(visit)]);
    assert.deepEqual(machine.banned, [LIAR]);
    assert.equal(Buffer.compare(store.bytes, bytes), 0);
    const { wrongPieces } = swarm.stats();
    t.diagnostic(`${wrongPieces} wrong pieces`);
    assert.ok(wrongPieces <= 3, `${wrongPieces} wrong pieces`);
  });
});

test('one that spoils every fifth piece, among five that share, is banned by each, and nobody else is', async (t) => {
  const sample = await makeSample(64 * MIB, MIB);
  const { artefact, infohash, bytes } = sample;
  const nodes = await Promise.all([80, 81, 82, 83, 84].map((last) => listenAt(last)));
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  const endpoints = nodes.map(({ port }, place) => ({ host: `127.0.7.${80 + place}`, port }));
  const rateLimits = { upload: 30 * MIB };
  nodes[0]?.join(artefact, infohash, new MemoryPieces(artefact, bytes), { rateLimits });
  nodes[1]?.join(artefact, infohash, new PoisonedStore(artefact, bytes, (index) => index % 5 === 0), {
    rateLimits,
  });
  const stores = [2, 3, 4].map(() => new MemoryPieces(artefact));
  const swarms = stores.map((store, place) =>
    nodes[place + 2]?.join(artefact, infohash, store, { rateLimits }),
  );
  for (const swarm of swarms) swarm?.addPeers(endpoints);
  await Promise.all(swarms.map((swarm) => swarm?.completed));
  for (const store of stores) assert.equal(Buffer.compare(store.bytes, bytes), 0);
  for (const swarm of swarms) {
    const banned = swarm?.stats().banned ?? [];
    assert.ok(
      banned.every((address) => address === '127.0.7.81'),
      banned.join(),
    );
    assert.ok((swarm?.stats().wrongPieces ?? 4) <= 3);
  }
});

test('one that chokes everyone, or answers nothing, does not keep HTTP from beginning within ten seconds', async (t) => {
  const { artefact, infohash, bytes } = await makeSample(3 * MIB, MIB);
  const machine = await listenAt(90);
  t.after(() => machine.stop());
  const store = new MemoryPieces(artefact);
  const swarm = machine.join(artefact, infohash, store, {
    webseed: {
      read: async (_, { start, end }) =>
        (async function* () {
          yield bytes.subarray(start, end);
        })(),
    },
  });
  const to = { host: '127.0.7.90', port: machine.port };
  const mute = await HostilePeer.greet({ from: LIAR, to, infohash });
  t.after(() => mute.close());
  void mute.spoil({ pieceCount: artefact.pieces.length, blocks: 0, after: 'wait' });
  const startedAt = performance.now();
  await swarm.completed;
  assert.ok(performance.now() - startedAt < 10_000);
  assert.equal(Buffer.compare(store.bytes, bytes), 0);
  assert.deepEqual(machine.banned, []);
});

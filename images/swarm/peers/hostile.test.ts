import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeHandshake } from './handshake.ts';
import { encodeMessage, encodeRanges } from './messages.ts';
import type { SwarmNode } from './node.ts';
import { MemoryPieces } from './piece-store.ts';
import { ATTACKS } from './testing/attacks.ts';
import { HostilePeer } from './testing/hostile-peer.ts';
import { listenAt, makeSample, type Sample } from './testing/sample.ts';

const MIB = 1024 * 1024;
const SEED = '127.0.7.50';
const HOSTILE = '127.0.7.66';

/**
 * The most that this thread worked between two turns of the event loop, in milliseconds, until it is disposed. Work and
 * not time: what else the machine does is not the swarm's fault.
 */
class Stall implements Disposable {
  longestMs = 0;
  #last = process.threadCpuUsage();
  readonly #timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(this.#last);
    this.longestMs = Math.max(this.longestMs, (user + system) / 1000);
    this.#last = process.threadCpuUsage();
  }, 1);

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

async function seedOf(t: TestContext): Promise<{ sample: Sample; node: SwarmNode }> {
  const sample = await makeSample(4 * MIB, MIB);
  const node = await listenAt(50);
  t.after(() => node.stop());
  node.join(sample.artefact, sample.infohash, new MemoryPieces(sample.artefact, sample.bytes));
  return { sample, node };
}

/** The lab, which has the host to itself, holds it to a second (test/faults/swarm.test.ts). */
const DROP_MS = 5000;

describe('dropped at once, and the event loop goes on', { timeout: 60_000 }, () => {
  for (const [name, attack] of Object.entries(ATTACKS))
    test(name, async (t) => {
      const { sample, node } = await seedOf(t);
      using stall = new Stall();
      const peer = await HostilePeer.greet({
        from: HOSTILE,
        to: { host: SEED, port: node.port },
        infohash: sample.infohash,
      });
      const startedAt = performance.now();
      attack(peer, { pieceCount: sample.artefact.pieces.length, pieceBytes: MIB });
      const winner = await Promise.race([
        peer.closed.then(() => 'dropped'),
        sleep(DROP_MS, 'still there', { ref: false }),
      ]);
      peer.close();
      assert.equal(winner, 'dropped');
      assert.ok(performance.now() - startedAt < DROP_MS);
      assert.ok(stall.longestMs < 100, `the event loop stood still for ${stall.longestMs.toFixed(0)} ms`);
    });

  const GREETINGS: Readonly<Record<string, Uint8Array>> = {
    'a TLS hello': Buffer.from('160301020001', 'hex'),
    'an HTTP request': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'a swarm that nobody knows': encodeHandshake({
      infohash: Buffer.alloc(20, 9),
      peerId: Buffer.alloc(20, 1),
      fast: true,
      extended: true,
    }),
  };
  for (const [name, bytes] of Object.entries(GREETINGS))
    test(name, async (t) => {
      const { node } = await seedOf(t);
      const peer = await HostilePeer.connect({ from: HOSTILE, to: { host: SEED, port: node.port } });
      peer.send(bytes);
      assert.equal(
        await Promise.race([
          peer.closed.then(() => 'dropped'),
          sleep(DROP_MS, 'still there', { ref: false }),
        ]),
        'dropped',
      );
    });

  test('an address that is not of the segment', async (t) => {
    const { node } = await seedOf(t);
    const peer = await HostilePeer.connect({ from: '127.0.9.1', to: { host: SEED, port: node.port } });
    assert.equal(
      await Promise.race([peer.closed.then(() => 'dropped'), sleep(DROP_MS, 'still there', { ref: false })]),
      'dropped',
    );
  });
});

describe('what is kept for the sake of peers is bounded', { timeout: 60_000 }, () => {
  test('connections of one address', async (t) => {
    const { node } = await seedOf(t);
    const peers = await Promise.all(
      Array.from({ length: 20 }, () =>
        HostilePeer.connect({ from: HOSTILE, to: { host: SEED, port: node.port } }),
      ),
    );
    t.after(() => {
      for (const peer of peers) peer.close();
    });
    let closed = 0;
    for (const peer of peers)
      peer.closed.then(() => {
        closed += 1;
      });
    for (let turn = 0; turn < 50 && closed < 12; turn++) await sleep(100);
    await sleep(200);
    assert.equal(closed, 12);
  });

  test('what one that asks and never reads is sent', async (t) => {
    const { sample, node } = await seedOf(t);
    const before = process.memoryUsage().rss;
    const peer = await HostilePeer.greet({
      from: HOSTILE,
      to: { host: SEED, port: node.port },
      infohash: sample.infohash,
    });
    t.after(() => peer.close());
    peer.stopReading();
    peer.send(encodeMessage({ type: 'interested' }));
    await sleep(200);
    const all = Array.from({ length: 500 }, (_, turn) => ({ index: turn % 4, begin: 0, length: MIB }));
    peer.send(encodeRanges('request', all));
    await sleep(500);
    assert.ok(process.memoryUsage().rss - before < 64 * MIB);
  });
});

test('what an extended handshake says of __proto__ is a name as any other', async (t) => {
  const { sample, node } = await seedOf(t);
  const peer = await HostilePeer.greet({
    from: HOSTILE,
    to: { host: SEED, port: node.port },
    infohash: sample.infohash,
  });
  t.after(() => peer.close());
  peer.sayExtended(0, 'd9:__proto__d8:bs_blocki1048576ee1:md11:constructori1e9:__proto__i1eee');
  peer.sayExtended(0, 'd1:mi1e4:reqqi-5e1:vi1e1:pi99999999ee');
  await sleep(100);
  assert.equal(({} as { bs_block?: number }).bs_block, undefined);
  assert.equal(await Promise.race([peer.closed.then(() => 'dropped'), sleep(100, 'there')]), 'there');
});

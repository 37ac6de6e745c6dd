import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Blame } from './blame.ts';
import { Download } from './download.ts';
import { UNSAID } from './extension.ts';
import type { PeerLink } from './link.ts';
import type { BlockRange } from './messages.ts';
import { Peer } from './peer.ts';
import { PieceMemory } from './piece-cache.ts';
import { PieceSet } from './piece-set.ts';
import { MemoryPieces } from './piece-store.ts';
import { makeSample } from './testing/sample.ts';
import { TokenBucket } from './token-bucket.ts';

const KIB = 1024;
const PIECE_BYTES = 256 * KIB;

/** A download of one piece of 256 KiB from peers that are only talked about. */
async function tableOf() {
  const { artefact, bytes } = await makeSample(PIECE_BYTES, PIECE_BYTES);
  const store = new MemoryPieces(artefact);
  const peers = new Map<number, Peer>();
  const strikes: string[] = [];
  const stored: number[] = [];
  const download = new Download(
    {
      artefact,
      store,
      memory: new PieceMemory(PIECE_BYTES, 2),
      blame: new Blame(),
      bucket: new TokenBucket(undefined, 0),
      random: () => 0,
    },
    {
      peers,
      onPiece: (index) => stored.push(index),
      onStrike: (address) => strikes.push(address),
      onStoreFailed: (error) => assert.fail(error),
    },
  );
  const join = (key: number): Peer => {
    const link = { remote: { host: `10.0.0.${key}`, port: 1 }, send: () => {} } as unknown as PeerLink;
    const greeting = { infohash: new Uint8Array(20), peerId: new Uint8Array(20), fast: true, extended: true };
    const peer = new Peer(key, link, greeting, 1, 0);
    peer.pieces = PieceSet.whole(1);
    download.picker.addAvailable(0, false);
    [peer.isChoking, peer.isInteresting] = [false, true];
    peer.said = { ...UNSAID, blockBytes: 1024 * KIB };
    peers.set(key, peer);
    return peer;
  };
  /** What a peer is asked for now. */
  const ask = (peer: Peer): BlockRange => {
    download.fill(peer, 0);
    const block = [...peer.asked.values()].at(-1);
    assert.ok(block, 'it was asked for nothing');
    return block;
  };
  const give = (peer: Peer, block: BlockRange, from: Uint8Array): void => {
    const target = download.onBlockStart(peer, block);
    target?.memory?.set(from.subarray(block.begin, block.begin + block.length));
    download.onBlockEnd(peer, block, target);
  };
  return {
    download,
    join,
    ask,
    give,
    right: bytes,
    wrong: Buffer.alloc(PIECE_BYTES, 0xbd),
    strikes,
    stored,
    store,
  };
}

/** The store writes in a later turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('two that send the same block at the same time', () => {
  test('do not spoil each other’s: what one wrote over is not blamed on the other', async () => {
    const { download, join, ask, give, right, wrong, strikes, store } = await tableOf();
    const [liar, honest] = [join(1), join(2)];
    const whole = ask(liar);
    const half = ask(honest);
    assert.deepEqual([whole.length, half.length], [256 * KIB, 128 * KIB]);
    const target = download.onBlockStart(liar, whole);
    target?.memory?.set(right.subarray(0, 100 * KIB));
    give(honest, half, right);
    // It goes on where it was: part of that has come from the other meanwhile.
    target?.memory?.set(wrong.subarray(100 * KIB), 100 * KIB);
    download.onBlockEnd(liar, whole, target);
    assert.deepEqual(strikes, []);
    give(honest, ask(honest), right);
    await settled();
    assert.deepEqual(strikes, ['10.0.0.1']);
    assert.equal(Buffer.compare(store.bytes, right), 0);
  });

  test('what comes after the piece is complete is let pass', async () => {
    const { download, join, ask, give, right, wrong, stored } = await tableOf();
    const [slow, fast] = [join(1), join(2)];
    const whole = ask(slow);
    const target = download.onBlockStart(slow, whole);
    give(fast, ask(fast), right);
    give(fast, ask(fast), right);
    target?.memory?.set(wrong);
    download.onBlockEnd(slow, whole, target);
    await settled();
    assert.deepEqual(stored, [0]);
    assert.equal(download.wastedBytes, 256 * KIB);
  });
});

describe('a block', () => {
  test('that was not asked for ends the connection', async () => {
    const { download, join, ask } = await tableOf();
    const peer = join(1);
    const block = ask(peer);
    for (const other of [
      { ...block, length: 16 * KIB },
      { ...block, begin: 16 * KIB, length: 16 * KIB },
    ])
      assert.throws(() => download.onBlockStart(peer, other), /nobody asked for/);
  });

  test('that was asked for and let go may come once more, and is kept where it is missing', async () => {
    const { download, join, ask, give, right, stored } = await tableOf();
    const peer = join(1);
    const block = ask(peer);
    download.letGo(peer);
    give(peer, block, right);
    await settled();
    assert.deepEqual(stored, [0]);
    assert.throws(() => download.onBlockStart(peer, block), /nobody asked for/);
  });

  test('that began before its peer went away is void, and asked of another', async () => {
    const { download, join, ask, give, right, stored } = await tableOf();
    const [gone, other] = [join(1), join(2)];
    download.onBlockStart(gone, ask(gone));
    download.onGone(gone);
    give(other, ask(other), right);
    await settled();
    assert.deepEqual(stored, [0]);
  });

  test('that was refused is asked of another', async () => {
    const { download, join, ask } = await tableOf();
    const [refusing, other] = [join(1), join(2)];
    download.onReject(refusing, ask(refusing));
    assert.equal(refusing.asked.size, 0);
    download.fill(refusing, 0);
    assert.equal(refusing.asked.size, 0);
    assert.equal(ask(other).length, 256 * KIB);
  });
});

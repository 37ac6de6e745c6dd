import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from '@bootswarm/edge-node/tftp';
import { peerOf } from './tftp-inbox.ts';
import { TftpTransfers } from './tftp-transfers.ts';

const DOOR = { fd: 3, address: '10.0.0.1' };
const CAPS = { maxBlockBytes: 1408, maxWindow: 16 };
const HOST = 0x0a00_0002;
const bytes = new Uint8Array(5000);

/** All transfers over the door, with a clock of their own and nothing sent. */
function bench() {
  let nowMs = 0;
  let [running, givenUp] = [0, 0];
  const transfers = new TftpTransfers({
    outbox: { addPacket: () => {}, addBlocks: () => {}, flush: () => {} },
    openTransfer: undefined,
    closeTransfer: () => {},
    nowMs: () => nowMs,
  });
  const file = encode({ kind: 'rrq', file: 'f', mode: 'octet', options: new Map([['timeout', '255']]) });
  const ack = encode({ kind: 'ack', block: 0 });
  /** What the main thread does: answers what was asked. */
  const settle = (): void => {
    const news = transfers.takeNews();
    for (const { id } of news?.asks ?? []) transfers.found({ id, bytes, caps: CAPS });
    givenUp += news?.ends.filter(({ ending }) => ending === 'given up for a newer request').length ?? 0;
    running = transfers.running;
  };
  return {
    ask: (address: number, port: number): void => {
      transfers.atDoor(DOOR, peerOf(address, port), file);
      settle();
    },
    hear: (address: number, port: number): void => {
      transfers.atDoor(DOOR, peerOf(address, port), ack);
      settle();
    },
    wait: (seconds: number): void => {
      nowMs += seconds * 1000;
      transfers.expire();
      settle();
    },
    told: () => ({ running, givenUp }),
  };
}

describe('who acknowledges once and falls silent', () => {
  test('holds no more than half of all places from one address', () => {
    const { ask, hear, told } = bench();
    for (let port = 1; port <= 1500; port++) {
      ask(HOST, port);
      hear(HOST, port);
    }
    assert.deepEqual(told(), { running: 1000, givenUp: 500 });
  });

  test('makes room from any address, where all places are taken and it was silent for ten seconds', () => {
    const { ask, hear, wait, told } = bench();
    for (let port = 1; port <= 1000; port++)
      for (const address of [HOST, HOST + 1]) {
        ask(address, port);
        hear(address, port);
      }
    ask(HOST + 2, 1);
    assert.deepEqual(told(), { running: 2000, givenUp: 0 }, 'nobody was silent for long');
    wait(11);
    for (let port = 1; port <= 100; port++) {
      ask(HOST + 3, port);
      hear(HOST + 3, port);
    }
    assert.deepEqual(told(), { running: 2000, givenUp: 100 });
  });

  test('is given up after two minutes, whatever timeout it asked for', () => {
    const { ask, hear, wait, told } = bench();
    ask(HOST, 1);
    hear(HOST, 1);
    for (let seconds = 0; seconds < 125; seconds += 5) wait(5);
    assert.equal(told().running, 0);
  });

  test('nobody unheard counts for the address', () => {
    const { ask, hear, told } = bench();
    for (let port = 1; port <= 1200; port++) ask(HOST, port);
    hear(HOST, 1);
    assert.deepEqual(told(), { running: 1200, givenUp: 0 });
  });
});

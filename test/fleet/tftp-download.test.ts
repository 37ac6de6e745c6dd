import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TftpPacket } from '@bootswarm/edge-node/tftp';
import fc from 'fast-check';
import { BEGUN, type Download, type DownloadStep, firstRequest, onServerPacket } from './tftp-download.ts';

const data = (block: number, bytes: number): TftpPacket => ({
  kind: 'data',
  block,
  bytes: new Uint8Array(bytes),
});

function afterAll(packets: readonly TftpPacket[]): DownloadStep {
  let step: DownloadStep = { kind: 'goes on', download: BEGUN };
  for (const packet of packets) {
    if (step.kind !== 'goes on') return step;
    step = onServerPacket(step.download, packet);
  }
  return step;
}

describe('a boot file on its way by TFTP', () => {
  test('is asked for in blocks that fill a frame, and taken in those that the server agrees to', () => {
    assert.deepEqual(
      [...(firstRequest('a').kind === 'rrq' ? ['tsize', 'blksize'] : [])],
      ['tsize', 'blksize'],
    );
    const step = afterAll([
      { kind: 'oack', options: new Map([['blksize', '1000']]) },
      data(1, 1000),
      data(2, 1),
    ]);
    assert.deepEqual(step, { kind: 'done', bytes: 1001, send: { kind: 'ack', block: 2 } });
  });

  test('has 512 bytes in a block where the server knows no options, and may end with an empty one', () => {
    const step = afterAll([data(1, 512), data(2, 0)]);
    assert.deepEqual(step, { kind: 'done', bytes: 512, send: { kind: 'ack', block: 2 } });
  });

  test('fails with the words of the server', () => {
    const step = afterAll([{ kind: 'error', code: 1, message: 'no such file' }]);
    assert.deepEqual(step, { kind: 'failed', reason: '1 no such file' });
  });

  test('is whole whatever comes twice, and however many blocks there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70_000 }),
        fc.integer({ min: 0, max: 511 }),
        fc.func(fc.boolean()),
        (fullBlocks, rest, isSentTwice) => {
          let download: Download = BEGUN;
          for (let block = 1; block <= fullBlocks + 1; block++) {
            const packet = data(block & 0xffff, block <= fullBlocks ? 512 : rest);
            const step = onServerPacket(download, packet);
            if (block > fullBlocks) {
              assert.ok(step.kind === 'done');
              assert.equal(step.bytes, fullBlocks * 512 + rest);
              return;
            }
            assert.ok(step.kind === 'goes on');
            ({ download } = step);
            if (!isSentTwice(block)) continue;
            const again = onServerPacket(download, packet);
            assert.ok(again.kind === 'goes on');
            assert.deepEqual(again.send, { kind: 'ack', block: block & 0xffff });
            assert.equal(again.download, download);
          }
        },
      ),
      { numRuns: 6 },
    );
  });
});

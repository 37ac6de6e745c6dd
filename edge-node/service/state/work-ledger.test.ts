import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskWork } from '../decide/work-step.ts';
import { WorkLedger } from './work-ledger.ts';

const work = (attempts: number): DiskWork => ({
  epoch: 1,
  kind: 'install',
  attempts,
  ticket: `ticket ${attempts}`,
  state: 'begun',
  detail: '',
  atMs: 0,
  whose: { mac: '52:54:00:00:00:01', segment: 'lab', address: '10.1.2.3' },
});

/** A disk that takes each note when it is told to. */
class FakeDisk {
  readonly waiting: PromiseWithResolvers<void>[] = [];

  keepWork(): Promise<void> {
    const kept = Promise.withResolvers<void>();
    this.waiting.push(kept);
    return kept.promise;
  }
}

test('what is noted holds at once, and is forgotten where the disk does not take it', async () => {
  const disk = new FakeDisk();
  const ledger = new WorkLedger(disk, new Map([['m-1', work(1)]]));
  const noting = ledger.note('m-1', work(2));
  assert.equal(ledger.workOf('m-1')?.attempts, 2, 'a second one that asks meanwhile is told so');
  disk.waiting[0]?.reject(new Error('the disk is full'));
  await assert.rejects(noting, /full/);
  assert.equal(ledger.workOf('m-1')?.attempts, 1);
  const first = ledger.note('m-2', work(1));
  disk.waiting[1]?.reject(new Error('the disk is full'));
  await assert.rejects(first, /full/);
  assert.equal(ledger.workOf('m-2'), undefined);
});

test('what came after a note that fails stays', async () => {
  const disk = new FakeDisk();
  const ledger = new WorkLedger(disk, new Map());
  const one = ledger.note('m-1', work(1));
  const two = ledger.note('m-1', work(2));
  disk.waiting[0]?.reject(new Error('the disk is full'));
  disk.waiting[1]?.resolve();
  await assert.rejects(one, /full/);
  await two;
  assert.deepEqual([...ledger.all()], [['m-1', work(2)]]);
});

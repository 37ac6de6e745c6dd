import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SentInspection } from '@bootswarm/controller/contract';
import { open } from 'lmdb';
import { InspectionQueue } from './inspection-queue.ts';

const MAC = '52:54:00:00:00:01';
const sent = (second: number, mac = MAC): SentInspection => ({
  mac,
  inspection: {
    format: 1,
    takenAt: `2026-01-01T00:00:0${second}.000Z`,
    firmware: 'bios',
    bootOrder: [],
    system: {},
    processors: { sockets: 1, cores: 1, threads: 1 },
    memory: { totalBytes: 1, modules: [] },
    disks: [],
    cards: [],
    pci: [],
  },
});

async function withQueue(
  run: (queue: InspectionQueue, reopen: () => InspectionQueue) => Promise<void>,
  requireRoom = (): void => {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-inspections-'));
  const root = open({ path: folder });
  const queue = (): InspectionQueue =>
    new InspectionQueue(root.openDB({ name: 'inspections', encoding: 'json' }), requireRoom);
  try {
    await run(queue(), queue);
  } finally {
    await root.close();
    await rm(folder, { recursive: true });
  }
}

const secondOf = (queue: InspectionQueue): string | undefined =>
  queue.oldest()?.sent.inspection.takenAt.slice(18, 19);

test('inspections leave in the order in which they came, also after a restart', () =>
  withQueue(async (queue, reopen) => {
    await queue.add(sent(1));
    await queue.add(sent(2));
    const next = reopen();
    assert.equal(secondOf(next), '1');
    await next.forget(next.oldest()?.key ?? 0);
    assert.equal(secondOf(next), '2');
    await next.add(sent(3));
    await next.forget(next.oldest()?.key ?? 0);
    assert.equal(secondOf(next), '3');
    await next.forget(next.oldest()?.key ?? 0);
    assert.equal(next.oldest(), undefined);
  }));

test('the same inspection twice is one', () =>
  withQueue(async (queue, reopen) => {
    await queue.add(sent(1));
    await reopen().add(sent(1));
    await queue.forget(queue.oldest()?.key ?? 0);
    assert.equal(queue.oldest(), undefined);
  }));

test('of one machine the newest three stay, whatever others bring', () =>
  withQueue(async (queue) => {
    await queue.add(sent(0, '52:54:00:00:00:02'));
    for (let second = 1; second <= 6; second++) await queue.add(sent(second));
    const left: (string | undefined)[] = [];
    for (let next = queue.oldest(); next; next = queue.oldest()) {
      left.push(secondOf(queue));
      await queue.forget(next.key);
    }
    assert.deepEqual(left, ['0', '4', '5', '6']);
  }));

test('a disk that is full takes none, and says so', () =>
  withQueue(
    async (queue) => {
      await assert.rejects(queue.add(sent(1)), /full/);
      assert.equal(queue.oldest(), undefined);
    },
    () => {
      throw new Error('the disk is full');
    },
  ));

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeWork } from '@bootswarm/controller/contract';
import { FleetWorkBoard } from './fleet-work.ts';

const work: EdgeWork = {
  machines: [
    {
      mac: '52:54:00:00:00:01',
      address: '10.1.2.3',
      stage: 'live',
      detail: 'fetching',
      progress: { step: 'fetch' },
      at: '2026-03-02T08:00:00.000Z',
    },
  ],
};

test('what machines are at is what their edges said last, until those fall silent', () => {
  const board = new FleetWorkBoard();
  board.take('edge1', work, 0);
  board.take('edge2', work, 20_000);
  const edges = (nowMs: number): string[] => board.show(nowMs).map(({ edge }) => edge);
  assert.deepEqual(edges(30_000), ['edge1', 'edge2']);
  assert.deepEqual(edges(31_000), ['edge2']);
  board.take('edge2', { machines: [] }, 32_000);
  assert.deepEqual(edges(32_000), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentReport } from '@bootswarm/controller/contract';
import { WorkBoard } from './work-board.ts';

const report: AgentReport = {
  format: 1,
  mac: '52:54:00:00:00:01',
  addresses: [],
  version: '1',
  kernel: '6.1',
  memoryBytes: 1,
  uptimeSeconds: 1,
  stage: 'live',
  detail: 'fetching minimal/1/amd64 into memory',
};
const working: AgentReport = { ...report, progress: { step: 'fetch', doneBytes: 1, totalBytes: 2 } };
const address = '10.1.2.3';

test('what is told is what machines are at, once, and again when it changes or did not arrive', () => {
  const board = new WorkBoard();
  assert.equal(board.news(0), undefined);
  board.note(address, working, 0);
  assert.deepEqual(board.news(10)?.[0], {
    ...{ mac: report.mac, address, stage: 'live', detail: report.detail, progress: working.progress },
    at: '1970-01-01T00:00:00.000Z',
  });
  assert.equal(board.news(20), undefined);
  board.untold();
  assert.equal(board.news(30)?.length, 1);
  board.note(address, report, 40);
  assert.deepEqual(board.news(50), []);
  board.note(address, report, 60);
  assert.equal(board.news(70), undefined);
});

test('a machine that falls silent is at nothing', () => {
  const board = new WorkBoard();
  board.note(address, working, 0);
  board.note(address, { ...working, mac: '52:54:00:00:00:02' }, 10_000);
  assert.equal(board.at(15_000).length, 2);
  assert.deepEqual(
    board.at(15_001).map(({ mac }) => mac),
    ['52:54:00:00:00:02'],
  );
});

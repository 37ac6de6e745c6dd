import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FleetWork } from '@bootswarm/controller/contract';
import { workText } from './machine-work.ts';

const swarm = {
  ...{ peers: 3, fromNeighbours: 700_000, fromEdge: 200_000, fromHttp: 0, given: 1_500_000 },
  ...{ downloadRate: 50_000, uploadRate: 0, banned: ['10.1.2.9'] },
};
const one: FleetWork[number] = {
  ...{ edge: 'edge1', mac: '52:54:00:00:00:01', address: '10.1.2.3', stage: 'live', detail: '', at: '' },
  progress: { step: 'fetch', doneBytes: 900_000, totalBytes: 1_000_000, swarm },
};

test('a table says how far machines are, of whom they fetch, and who is behind', () => {
  const { swarm: _, ...plain } = one.progress;
  const slow = {
    ...one,
    progress: { ...one.progress, doneBytes: 0, swarm: { ...swarm, downloadRate: 1_000 } },
  };
  const installing = { ...one, mac: '52:54:00:00:00:02', progress: { ...plain, step: 'unpack' } };
  const lines = workText([one, one, slow, installing]).split('\n');
  assert.match(
    lines[1] ?? '',
    /^52:54:00:00:00:01 +edge1 +fetch +90 % +50 kB\/s +700 kB +200 kB +0 B +1.5 MB +2 s +banned 10.1.2.9$/,
  );
  assert.match(lines[3] ?? '', / 0 % .* 1000 s +straggler; banned/);
  assert.match(lines[4] ?? '', / unpack +90 %$/);
  assert.match(workText([]), /No machine/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DesiredState, Segment } from '@bootswarm/controller/contract';
import { dutyOf } from './duty.ts';

const mac = '52:54:00:00:00:01';
const uuid = '00112233-4455-6677-8899-aabbccddeeff';
const segment = Segment.parse({
  name: 'lab',
  subnet: '10.1.2.0/24',
  router: '10.1.2.1',
  pools: [{ first: '10.1.2.100', last: '10.1.2.199' }],
  edges: ['edge1'],
  defaultIntent: { kind: 'menu' },
});
const machines: DesiredState['machines'] = [
  { id: 'm1', macs: [mac], intent: { kind: 'inspect' }, epoch: 3 },
  { id: 'm2', macs: ['52:54:00:00:00:02'], uuid, intent: { kind: 'local' } },
];

test("a machine does what is its own, else what is its segment's, else nothing", () => {
  assert.deepEqual(dutyOf({ mac }, machines, segment), { intent: { kind: 'inspect' }, epoch: 3 });
  assert.deepEqual(dutyOf({ mac: '52:54:00:00:00:09', uuid }, machines, segment), {
    intent: { kind: 'local' },
  });
  assert.deepEqual(dutyOf({ mac: '52:54:00:00:00:09' }, machines, segment), { intent: { kind: 'menu' } });
  assert.deepEqual(dutyOf({ mac: '52:54:00:00:00:09' }, machines, undefined), { intent: { kind: 'local' } });
});

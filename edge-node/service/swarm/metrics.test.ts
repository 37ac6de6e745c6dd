import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineWork } from '@bootswarm/controller/contract';
import { metricsText } from './metrics.ts';

test('metrics are what Prometheus reads, with names that cannot break a line', () => {
  const swarm = { peers: 2, fromNeighbours: 70, fromEdge: 20, fromHttp: 10, given: 5 };
  const rates = { downloadRate: 1, uploadRate: 1, banned: ['10.1.2.9'] };
  const work: MachineWork = {
    ...{ mac: '52:54:00:00:00:01', address: '10.1.2.3', stage: 'live', detail: '', at: '' },
    progress: { step: 'fetch', swarm: { ...swarm, ...rates } },
  };
  const seed = { name: 'a"b\n', sha256: 'ff', uploaded: 9, peers: [] };
  const text = metricsText({ counters: { 'tftp read': 3 }, seeds: [seed], work: [work, work] });
  for (const line of [
    '# TYPE bootswarm_events_total counter',
    'bootswarm_events_total{event="tftp read"} 3',
    'bootswarm_swarm_given_bytes_total{artefact="a\\"b\\n",sha256="ff"} 9',
    'bootswarm_swarm_peers{artefact="a\\"b\\n",sha256="ff"} 0',
    'bootswarm_swarm_banned_peers 1',
    'bootswarm_machines_at_work{step="fetch"} 2',
    'bootswarm_fetched_bytes{from="neighbours"} 140',
    'bootswarm_fetched_bytes{from="http"} 20',
    'bootswarm_given_bytes 10',
  ])
    assert.ok(text.split('\n').includes(line), `${line} in\n${text}`);
  assert.ok(text.endsWith('\n'));
  assert.equal(metricsText({ counters: {}, seeds: [], work: [] }).includes('events_total'), false);
});

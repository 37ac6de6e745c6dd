import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AgentFacts, AgentOrder } from '@bootswarm/controller/contract';
import { Agent } from './agent.ts';
import { Status } from './status.ts';
import { FakeEdge } from './testing/fake-edge.ts';

const facts: AgentFacts = { firmware: 'bios', processors: 2, cards: [], disks: [] };
const inspect: AgentOrder = { token: 'a', intent: { kind: 'inspect' } };
const local: AgentOrder = { token: 'b', intent: { kind: 'local' } };

interface Run {
  readonly edge: FakeEdge;
  readonly said: string[];
  /** Milliseconds that it waited, each time. */
  readonly waits: number[];
}

/** Runs an agent until it was given its last order twice. */
async function run(
  orders: readonly AgentOrder[],
  options: {
    readonly failing?: number;
    readonly facts?: () => Promise<AgentFacts>;
    readonly verify?: () => Promise<void>;
  } = {},
): Promise<Run> {
  const stop = new AbortController();
  let left = 2;
  const edge = new FakeEdge(orders, () => {
    left -= 1;
    if (left === 0) stop.abort();
  });
  edge.failing = options.failing ?? 0;
  const said: string[] = [];
  const waits: number[] = [];
  const status = new Status(
    { uuid: undefined, version: '1', kernel: '6.1' },
    (line) => said.push(line),
    () => 1,
  );
  const heartbeat = Promise.withResolvers<void>();
  stop.signal.addEventListener('abort', () => heartbeat.resolve());
  await new Agent({
    edge,
    status,
    about: async () => ({
      mac: '52:54:00:00:00:01',
      addresses: ['10.1.2.3'],
      version: '1',
      kernel: '6.1',
      memoryBytes: 1,
      uptimeSeconds: 2,
    }),
    facts: options.facts ?? (async () => facts),
    verify: options.verify ?? (async () => {}),
    signal: stop.signal,
    wait: async (ms) => {
      if (ms === 60_000 && !stop.signal.aborted) return heartbeat.promise;
      waits.push(ms);
    },
  }).run();
  return { edge, said, waits };
}

const stagesOf = ({ edge }: Run): string[] => edge.reports.map(({ stage, detail }) => `${stage}: ${detail}`);

describe('an agent', () => {
  test('reports that it is up, inspects when it is told to, and then waits', async () => {
    const ran = await run([inspect]);
    assert.deepEqual(stagesOf(ran), [
      'up: the agent is up',
      'inspecting: looking at the machine',
      'waiting: inspected; waiting for another intent',
    ]);
    assert.deepEqual(ran.edge.reports.at(-1)?.facts, facts);
  });

  test('does each order once, and the next one as it comes', async () => {
    const ran = await run([inspect, inspect, local]);
    assert.equal(stagesOf(ran).filter((stage) => stage.startsWith('inspecting')).length, 1);
    assert.match(stagesOf(ran).at(-1) ?? '', /^waiting: 'local' is not in this version of the agent/);
  });

  test('asks an edge that gives the same order at once no more than once a second', async () => {
    const { waits } = await run([local]);
    assert.deepEqual(waits, [1_000]);
  });

  test('tries again for ever while the edge is away, ever more patiently, and says so rarely', async () => {
    const ran = await run([inspect], { failing: 9 });
    assert.equal(stagesOf(ran).length, 3);
    const bounds = [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000);
    for (const [index, most] of bounds.entries()) {
      const waited = ran.waits[index] ?? 0;
      assert.ok(most / 2 <= waited && waited <= most, `wait ${index}: ${waited} ms`);
    }
    const complaints = ran.said.filter((line) => line.includes('the edge is away'));
    assert.equal(complaints.length, 4, 'of 9 failures the 1st, 2nd, 4th and 8th are told');
    assert.ok(ran.said.some((line) => line.includes('reported to the edge')));
  });

  test('tells an inspection that fails, and goes on', async () => {
    const ran = await run([inspect, local], {
      facts: () => Promise.reject(new Error('/sys is not there')),
    });
    assert.ok(stagesOf(ran).includes('failed: the inspection failed: /sys is not there'));
    assert.match(stagesOf(ran).at(-1) ?? '', /^waiting: 'local'/);
  });

  test('verifies the release that it is told to boot, and refuses one that is not to be believed', async () => {
    const live: AgentOrder = { token: 'c', intent: { kind: 'live', release: 'minimal/1/amd64' } };
    assert.match(
      stagesOf(await run([live])).at(-1) ?? '',
      /^waiting: 'live minimal.*its manifest is signed$/,
    );
    const refused = await run([live], { verify: () => Promise.reject(new Error('nobody signed it')) });
    assert.equal(stagesOf(refused).at(-1), 'failed: refused minimal/1/amd64: nobody signed it');
  });

  test('sends each line of its log once', async () => {
    const { edge } = await run([inspect]);
    assert.equal(new Set(edge.lines).size, edge.lines.length);
    assert.ok(edge.lines.some((line) => line.endsWith('looking at the machine')));
  });
});

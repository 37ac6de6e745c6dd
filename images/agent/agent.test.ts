import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AgentFacts, AgentOrder, Inspection } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { Agent, type AgentParts } from './agent.ts';
import { EdgeError } from './edge-client.ts';
import { orderOf } from './install/testing/new-machine.ts';
import { Status } from './status.ts';
import { FakeEdge } from './testing/fake-edge.ts';

const facts: AgentFacts = { firmware: 'bios', processors: 2, cards: [], disks: [] };
const inspection: Inspection = {
  format: 1,
  takenAt: '2026-03-02T08:00:00.000Z',
  firmware: 'bios',
  bootOrder: [],
  system: {},
  processors: { sockets: 1, cores: 2, threads: 2 },
  memory: { totalBytes: 1, modules: [] },
  disks: [],
  cards: [],
  pci: [],
};
const inspect: AgentOrder = { token: 'a', intent: { kind: 'inspect' } };
const local: AgentOrder = { token: 'b', intent: { kind: 'local' } };

interface Run {
  readonly edge: FakeEdge;
  readonly said: string[];
  /** Milliseconds that it waited, each time. */
  readonly waits: number[];
  readonly rebooted: number;
}

/** Runs an agent until it was given its last order twice. */
async function run(
  orders: readonly AgentOrder[],
  options: {
    readonly failing?: number;
    readonly facts?: () => Promise<AgentFacts>;
    readonly verify?: () => Promise<void>;
    readonly install?: AgentParts['install'];
    readonly wipe?: AgentParts['wipe'];
    readonly live?: AgentParts['live'];
    readonly giveOn?: AgentParts['giveOn'];
    readonly refusing?: Error;
    readonly kernelLines?: readonly string[];
    readonly refusingEnd?: readonly Error[];
    readonly rescue?: AgentParts['rescue'];
  } = {},
): Promise<Run> {
  const stop = new AbortController();
  let left = 2;
  const edge = new FakeEdge(orders, () => {
    left -= 1;
    if (left === 0) stop.abort();
  });
  edge.failing = options.failing ?? 0;
  const kernelLines = [...(options.kernelLines ?? [])];
  const said: string[] = [];
  const waits: number[] = [];
  let rebooted = 0;
  edge.refusing = options.refusing;
  edge.refusingEnd.push(...(options.refusingEnd ?? []));
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
    inspect: async () => inspection,
    kernelLog: async () => (kernelLines.length > 0 ? kernelLines.splice(0) : []),
    rescue: options.rescue ?? (async () => {}),
    verify: options.verify ?? (async () => {}),
    install: options.install ?? (() => Promise.reject(new Error('no installation was expected'))),
    wipe: options.wipe ?? (() => Promise.reject(new Error('no wiping was expected'))),
    live: options.live ?? (() => Promise.reject(new Error('no live system was expected'))),
    giveOn: options.giveOn ?? (async () => {}),
    handOver: () => {
      edge.isLeft = true;
      stop.abort();
    },
    reboot: async () => {
      rebooted += 1;
      stop.abort();
    },
    signal: stop.signal,
    wait: async (ms) => {
      if (ms === 60_000 && !stop.signal.aborted) return heartbeat.promise;
      waits.push(ms);
    },
  }).run();
  return { edge, said, waits, rebooted };
}

const stagesOf = ({ edge }: Run): string[] => edge.reports.map(({ stage, detail }) => `${stage}: ${detail}`);

describe('an agent', () => {
  test('reports that it is up, inspects when it is told to, and then waits', async () => {
    const ran = await run([inspect]);
    assert.deepEqual(stagesOf(ran), [
      'up: the agent is up',
      'inspecting: looking at the machine',
      'inspecting: looking closer: disks, cards and their switches',
      'waiting: inspected; waiting for another intent',
    ]);
    assert.deepEqual(ran.edge.reports.at(-1)?.facts, facts);
    assert.deepEqual(ran.edge.inspections, [inspection]);
  });

  test('does each order once, and the next one as it comes', async () => {
    const ran = await run([inspect, inspect, local]);
    assert.equal(stagesOf(ran).filter((stage) => stage.startsWith('inspecting: looking at')).length, 1);
    assert.equal(stagesOf(ran).at(-1), "waiting: rebooting for 'local'");
    assert.equal(ran.rebooted, 1);
  });

  test('does not reboot for what it was booted in spite of: it would come here again', async () => {
    const ran = await run([local]);
    assert.equal(stagesOf(ran).at(-1), "waiting: 'local' is for the next boot; waiting for another intent");
    assert.equal(ran.rebooted, 0);
  });

  test('asks an edge that gives the same order at once no more than once a second', async () => {
    const { waits } = await run([local]);
    assert.deepEqual(waits, [1_000]);
  });

  test('tries again for ever while the edge is away, ever more patiently, and says so rarely', async () => {
    const ran = await run([inspect], { failing: 9 });
    assert.equal(stagesOf(ran).length, 4);
    const bounds = [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000);
    for (const [index, most] of bounds.entries()) {
      const waited = ran.waits[index] ?? 0;
      assert.ok(most / 2 <= waited && waited <= most, `wait ${index}: ${waited} ms`);
    }
    const complaints = ran.said.filter((line) => line.includes('the edge is away'));
    assert.equal(complaints.length, 4, 'of 9 failures the 1st, 2nd, 4th and 8th are told');
    assert.ok(ran.said.some((line) => line.includes('reported to the edge')));
  });

  test('wipes once it may begin, tells what it did, and then waits', async () => {
    const order = (ticket: string): AgentOrder => ({
      token: ticket,
      intent: { kind: 'wipe', method: 'auto', disks: ['S-1'] },
      wipe: { epoch: 3, attempt: 1, ticket, method: 'auto', disks: ['S-1'] },
    });
    const ran = await run([order('old'), order('new'), local], {
      wipe: async (_, { begin }) => {
        await begin('wipe sda');
        return 'wiped sda by overwrite';
      },
    });
    assert.deepEqual(ran.edge.begun, [{ ticket: 'new', plan: 'wipe sda' }]);
    assert.deepEqual(
      ran.edge.ended.map(({ ticket, outcome }) => [ticket, outcome]),
      [['new', 'done']],
    );
    assert.ok(stagesOf(ran).includes('wiped: wiped sda by overwrite'));
    assert.equal(ran.rebooted, 0);
  });

  test('hands over to a live system once that is in memory, and waits where it is refused', async () => {
    const live: AgentOrder = {
      token: 'l',
      intent: { kind: 'live', release: 'minimal/1/amd64', by: 'agent' },
    };
    const ran = await run([live], { live: async () => {} });
    assert.equal(ran.edge.isLeft, true);
    assert.match(stagesOf(ran).at(-1) ?? '', /^live: minimal\/1\/amd64 takes over/);
    const refused = await run([live, local], { live: () => Promise.reject(new Error('not signed')) });
    assert.ok(stagesOf(refused).includes('failed: live minimal/1/amd64 failed: not signed'));
    assert.equal(refused.edge.isLeft, false);
  });

  test('lets the keys in that it is told of, until the next order', async () => {
    const key = 'ssh-ed25519 AAAA me';
    const seen: { keys: readonly string[]; signal?: AbortSignal } = { keys: [] };
    const ran = await run([{ token: 'r', intent: { kind: 'rescue', sshKeys: [key] } }, local], {
      rescue: async (keys, signal) => void Object.assign(seen, { keys, signal }),
    });
    assert.ok(stagesOf(ran).includes('rescue: 1 keys may come in by SSH, as root'));
    assert.deepEqual(seen.keys, [key]);
    assert.equal(seen.signal?.aborted, true);
  });

  test('tells an inspection that fails, and goes on', async () => {
    const ran = await run([inspect, local], {
      facts: () => Promise.reject(new Error('/sys is not there')),
    });
    assert.ok(stagesOf(ran).includes('failed: the inspection failed: /sys is not there'));
    assert.equal(stagesOf(ran).at(-1), "waiting: rebooting for 'local'");
  });

  test('verifies the release that it is told to boot, and refuses one that is not to be believed', async () => {
    const live: AgentOrder = { token: 'c', intent: { kind: 'live', release: 'minimal/1/amd64' } };
    const signed = await run([inspect, live]);
    assert.equal(stagesOf(signed).at(-1), "waiting: rebooting for 'live minimal/1/amd64'");
    const refused = await run([inspect, live], {
      verify: () => Promise.reject(new Error('nobody signed it')),
    });
    assert.equal(stagesOf(refused).at(-1), 'failed: refused minimal/1/amd64: nobody signed it');
    assert.equal(refused.rebooted, 0);
  });

  const kernelLines = Array.from({ length: 250 }, (_, line) => `kernel ${line}`);

  test('tells what the kernel warns of with its inspection', async () => {
    const { edge } = await run([inspect], { kernelLines });
    assert.deepEqual(
      edge.lines.filter((line) => line.startsWith('kernel')),
      kernelLines,
    );
  });

  for (const [what, order] of [
    ['an installation', { token: 'i', intent: { kind: 'local' }, install: orderOf() }],
    ['a live system', { token: 'l', intent: { kind: 'live', release: 'tiny/1/amd64', by: 'agent' } }],
  ] as const satisfies readonly (readonly [string, AgentOrder])[])
    test(`tells what the kernel warns of with the failure of ${what}`, async () => {
      const { edge } = await run([order], { kernelLines });
      assert.ok(edge.lines.includes('kernel 249'));
    });

  test('sends each line of its log once', async () => {
    const { edge } = await run([inspect]);
    assert.equal(new Set(edge.lines).size, edge.lines.length);
    assert.ok(edge.lines.some((line) => line.endsWith('looking at the machine')));
  });
});

describe('an agent that is told to install', () => {
  const order = (ticket: string, attempt = 1): AgentOrder => ({
    token: `${ticket}-${attempt}`,
    intent: { kind: 'local' },
    install: { ...orderOf(), ticket, attempt },
  });
  const failing = new Problem({ code: 'root_full', message: 'no room', remedy: 'make some' }, 507);

  test('asks for a fresh ticket, begins with the plan, reports how far it is, ends with that ticket, and reboots', async () => {
    const ran = await run([order('old'), order('new')], {
      install: async (_, { begin, progress }) => {
        progress.begin('plan', 'look');
        await begin('the plan');
        progress.begin('fetch', 'root');
        progress.bytes(5, 10);
        await new Promise((resolve) => setTimeout(resolve, 1_200));
      },
    });
    assert.deepEqual(ran.edge.begun, [{ ticket: 'new', plan: 'the plan' }]);
    assert.deepEqual(
      ran.edge.ended.map(({ ticket, outcome }) => [ticket, outcome]),
      [['new', 'done']],
    );
    assert.match(ran.edge.ended[0]?.detail ?? '', /^installed tiny\/1\/amd64: plan 0\.0 s, fetch 1\.\d s$/);
    assert.deepEqual(ran.edge.reports.findLast(({ progress }) => progress)?.progress, {
      step: 'fetch',
      doneBytes: 5,
      totalBytes: 10,
    });
    assert.match(stagesOf(ran).at(-1) ?? '', /^installed: /);
    assert.equal(ran.rebooted, 1);
  });

  test('ends a failure with its cause, says what to do on the console, and does not reboot', async () => {
    const ran = await run([order('a')], { install: () => Promise.reject(failing) });
    assert.deepEqual(ran.edge.ended, [
      { ticket: 'a', outcome: 'failed', cause: 'root_full', detail: 'no room' },
    ]);
    assert.ok(stagesOf(ran).includes('failed: installing tiny/1/amd64 failed (root_full): no room'));
    assert.ok(ran.said.some((line) => line.includes('make some')));
    assert.equal(ran.rebooted, 0);
  });

  test('tries once more where it is ordered to', async () => {
    let tries = 0;
    const ran = await run([order('a', 1), order('b', 2)], {
      install: () => {
        tries += 1;
        return tries === 1 ? Promise.reject(failing) : Promise.resolve();
      },
    });
    assert.deepEqual(
      ran.edge.ended.map(({ ticket, outcome }) => [ticket, outcome]),
      [
        ['a', 'failed'],
        ['b', 'done'],
      ],
    );
    assert.equal(ran.rebooted, 1);
  });

  test('writes nothing where the edge refuses that it begins, or wants something else by now', async () => {
    let written = 0;
    const install: AgentParts['install'] = async (_, { begin }) => {
      await begin('plan');
      written += 1;
    };
    const refused = await run([order('a'), order('a'), local], {
      install,
      refusing: new EdgeError('/agent/begin: 409 spent', { status: 409 }),
    });
    assert.match(refused.edge.ended[0]?.detail ?? '', /409 spent/);
    const withdrawn = await run([order('a'), local], { install });
    assert.equal(withdrawn.edge.ended[0]?.cause, 'order_withdrawn');
    assert.equal(written, 0);
  });

  const unknown = new EdgeError('/agent/end: 403', { status: 403 });
  const silent = async (): Promise<void> => {};

  test('tells the end again while the edge does not know its address', async () => {
    const ran = await run([order('a')], { install: silent, refusingEnd: Array(14).fill(unknown) });
    assert.deepEqual(
      ran.edge.ended.map(({ outcome }) => outcome),
      ['done'],
    );
    assert.equal(ran.rebooted, 1);
  });

  test('never calls failed what is done, whatever the edge says to it', async () => {
    for (const refusingEnd of [Array(15).fill(unknown), [new EdgeError('409', { status: 409 })]]) {
      const ran = await run([order('a')], { install: silent, refusingEnd });
      assert.deepEqual(ran.edge.ended, []);
      assert.match(
        stagesOf(ran).at(-1) ?? '',
        /^failed: installed tiny.*does not take the word of it \(edge_refused\)/,
      );
      assert.equal(ran.rebooted, 0);
    }
  });

  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const spent = { code: 'ticket_spent', message: 'it is used up', remedy: 'ask again' };
  for (const [cause, error] of [
    ['ticket_spent', new EdgeError('409', { status: 409, refusal: spent })],
    ['edge_refused', new EdgeError('404 nothing here', { status: 404 })],
    ['edge_silent', new EdgeError('ECONNREFUSED')],
    ['no_room', full],
    ['agent_failed', new TypeError('x is not a function')],
  ] as const)
    test(`names ${cause}`, async () => {
      const ran = await run([order('a')], { install: () => Promise.reject(error) });
      assert.equal(ran.edge.ended[0]?.cause, cause);
    });

  test('shows what the edge has given up', async () => {
    const ran = await run([{ ...local, failed: 'two tries failed: root_full' }]);
    assert.equal(stagesOf(ran).at(-1), 'failed: two tries failed: root_full');
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AgentReport, SwarmTerms } from '@bootswarm/controller/contract';
import type { Lease } from '../decide/lease.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { AgentDesk } from './agent-desk.ts';
import type { Duty } from './duty.ts';
import { WorkBoard } from './work-board.ts';

const mac = '52:54:00:00:00:01';
const address = '10.1.2.100';
const caller = { address, httpUrl: 'http://10.1.2.1:8480', canSwarm: true };
const lease: Lease = { segment: 'lab', address, mac, state: 'bound', expiresAtMs: 1_000_000 };
const report: AgentReport = {
  format: 1,
  mac,
  addresses: [address],
  version: '1.0',
  kernel: '6.1',
  memoryBytes: 1024 ** 3,
  uptimeSeconds: 30,
  stage: 'up',
  detail: 'the agent is up',
};
const never = new AbortController().signal;

function makeDesk(leases: readonly Lease[] = [lease]) {
  const told: string[] = [];
  const world = {
    nowMs: 0,
    duty: { intent: { kind: 'inspect' } } as Duty,
    leases,
    swarm: undefined as SwarmTerms | undefined,
  };
  const desk = new AgentDesk({
    holderOf: (asked) => world.leases.find((each) => each.address === asked),
    dutyOf: () => world.duty,
    swarmFor: () => world.swarm,
    board: new WorkBoard(),
    tell: (from, detail) => told.push(`${from.address} ${detail}`),
    log: quietLog().log,
    nowMs: () => world.nowMs,
  });
  return { desk, told, world };
}

describe('a report', () => {
  test('is journaled when it says something new, and not each minute', () => {
    const { desk, told } = makeDesk();
    desk.report(address, report);
    desk.report(address, { ...report, uptimeSeconds: 90 });
    desk.report(address, { ...report, uptimeSeconds: 95, stage: 'waiting', detail: 'for an intent' });
    assert.deepEqual(told, [
      `${address} up: the agent is up; agent 1.0 (kernel 6.1), 30 s after its start`,
      `${address} waiting: for an intent; agent 1.0 (kernel 6.1), 95 s after its start`,
    ]);
  });

  test('each second passes, and of work each step is journaled once', () => {
    const { desk, told, world } = makeDesk();
    for (let second = 0; second < 600; second++) {
      world.nowMs = second * 1000;
      const progress = { step: second < 300 ? 'fetch' : 'unpack', doneBytes: second, totalBytes: 600 };
      const detail = `${second} of 600 bytes`;
      desk.report(address, { ...report, uptimeSeconds: second, stage: 'installing', detail, progress });
    }
    assert.deepEqual(told, [`${address} fetch: 0 of 600 bytes`, `${address} unpack: 300 of 600 bytes`]);
  });

  test('of another boot is news', () => {
    const { desk, told } = makeDesk();
    desk.report(address, report);
    desk.report(address, { ...report, uptimeSeconds: 20 });
    assert.equal(told.length, 2);
  });

  test('tells the machine where it was inspected', () => {
    const { desk, told } = makeDesk();
    const card = { name: 'eth0', mac, hasLink: true };
    const facts = {
      product: 'Server 9',
      serial: 'S-1',
      firmware: 'uefi',
      processors: 4,
      cards: [card, { ...card, hasLink: false }],
      disks: [{ name: 'vda', bytes: 2e9 }],
    } as const;
    desk.report(address, {
      ...report,
      facts: { ...facts, cards: [...facts.cards], disks: [...facts.disks] },
    });
    assert.match(
      told[0] ?? '',
      /Server 9, serial S-1, UEFI, 4 processors, 1\.0 GiB, 2 cards \(1 with a link\), disks: vda 2\.0 GB;/,
    );
  });

  const refused: readonly { name: string; leases: readonly Lease[]; mac?: string; code: string }[] = [
    { name: 'from an address without a lease', leases: [], code: 'agent_without_lease' },
    {
      name: 'from an address whose lease ran out',
      leases: [{ ...lease, expiresAtMs: 0 }],
      code: 'agent_without_lease',
    },
    {
      name: 'from an address that was only offered',
      leases: [{ ...lease, state: 'offered' }],
      code: 'agent_without_lease',
    },
    {
      name: 'that names another machine than its address',
      leases: [lease],
      mac: '52:54:00:00:00:02',
      code: 'agent_other_machine',
    },
  ];
  for (const { name, leases, mac: named = mac, code } of refused)
    test(`${name} is refused`, () => {
      const { desk, told } = makeDesk(leases);
      assert.throws(() => desk.report(address, { ...report, mac: named }), { code });
      assert.deepEqual(told, []);
    });

  test('that comes too often is refused, and later taken again', () => {
    const { desk, world } = makeDesk();
    for (let call = 0; call < 180; call++) desk.report(address, report);
    assert.throws(() => desk.report(address, report), { code: 'agent_too_often' });
    world.nowMs = 700;
    desk.report(address, report);
    desk.report(address, report);
    assert.throws(() => desk.takeLog(address, { lines: ['x'] }), { code: 'agent_too_often' });
  });
});

describe('an order', () => {
  test('is given at once to who has none or another', async () => {
    const { desk } = makeDesk();
    const { token, intent } = await desk.order(caller, undefined, 50, never);
    assert.deepEqual(intent, { kind: 'inspect' });
    assert.equal((await desk.order(caller, 'another', 50, never)).token, token);
  });

  test('says with whom to share, to who can, and is no other order for that', async () => {
    const { desk, world } = makeDesk();
    const { token } = await desk.order(caller, undefined, 0, never);
    world.swarm = { subnet: '10.1.2.0/24', edge: '10.1.2.1' };
    const among = await desk.order(caller, undefined, 0, never);
    assert.deepEqual([among.swarm, among.token], [world.swarm, token]);
    const alone = await desk.order({ ...caller, canSwarm: false }, undefined, 0, never);
    assert.equal(alone.swarm, undefined);
  });

  test('is waited for, and comes when the desired state changes it', async () => {
    const { desk, world } = makeDesk();
    const { token } = await desk.order(caller, undefined, 0, never);
    const waiting = desk.order(caller, token, 50, never);
    desk.changed();
    world.duty = { intent: { kind: 'local' } };
    desk.changed();
    assert.deepEqual((await waiting).intent, { kind: 'local' });
  });

  test('with another ticket is the same, and with another try or failure is another', async () => {
    const { desk, world } = makeDesk();
    const wipe = { epoch: 1, attempt: 1, ticket: 'a', method: 'auto', disks: 'all' } as const;
    const tokens: string[] = [];
    for (const work of [
      { wipe },
      { wipe: { ...wipe, ticket: 'b' } },
      { wipe: { ...wipe, attempt: 2 } },
      { failed: 'x' },
      { notYet: 'x' },
    ]) {
      world.duty = { ...world.duty, work };
      const order = await desk.order(caller, undefined, 0, never);
      assert.deepEqual({ ...order, token: '', intent: '' }, { ...work, token: '', intent: '' });
      tokens.push(order.token);
    }
    assert.equal(tokens[0], tokens[1]);
    assert.equal(new Set(tokens).size, 4);
  });

  test('set again under another epoch is another', async () => {
    const { desk, world } = makeDesk();
    const first = await desk.order(caller, undefined, 0, never);
    world.duty = { ...world.duty, epoch: 2 };
    assert.notEqual((await desk.order(caller, undefined, 0, never)).token, first.token);
  });

  test('is the same again when the wait is over, when the agent hangs up, and when it asks a second time', async () => {
    const { desk } = makeDesk();
    const { token } = await desk.order(caller, undefined, 0, never);
    assert.equal((await desk.order(caller, token, 0.01, never)).token, token);
    const hungUp = new AbortController();
    const waiting = desk.order(caller, token, 50, hungUp.signal);
    hungUp.abort();
    assert.equal((await waiting).token, token);
    const former = desk.order(caller, token, 50, never);
    const latter = desk.order(caller, token, 0.01, never);
    assert.equal((await former).token, token);
    await latter;
  });

  test('is not given to whom nobody knows', async () => {
    const { desk } = makeDesk([]);
    await assert.rejects(desk.order(caller, undefined, 0, never), { code: 'agent_without_lease' });
  });
});

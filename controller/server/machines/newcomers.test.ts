import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Assignment, endpoints, grantInstall } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { MemoryStore } from '../store/memory-store.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { LifeUnderTest, LIFE_MAC as MAC } from '../testing/life-under-test.ts';
import { sampleSegment } from '../testing/samples.ts';

const HOUR_MS = 3600_000;
const macOf = (n: number): string => `52:54:00:00:01:${String(10 + n)}`;
const firstWord = { stage: 'offer', netboot: true, segment: 'seg1' } as const;

describe('a machine that nobody knew', () => {
  test('does what its segment says by default, unless that says more', async () => {
    for (const policy of [{}, { unknownMachines: 'ignore' as const }]) {
      const life = await LifeUnderTest.make(new MemoryStore(), policy);
      await life.tell(firstWord);
      await life.inspect();
      await life.watch.look(life.now);
      assert.deepEqual(
        [(await life.machine())?.intent, (await life.machine())?.state],
        [undefined, 'available'],
      );
    }
  });

  test('is inspected at its first record, and no more than that', async () => {
    const life = await LifeUnderTest.make(new MemoryStore(), { unknownMachines: 'inspect' });
    await life.tell(firstWord, { stage: 'agent' });
    const { intent, epoch, state } = (await life.machine()) ?? {};
    assert.deepEqual([intent, epoch, state], [{ kind: 'inspect' }, 1, 'inspecting']);
    await life.inspect();
    life.pass(3600);
    await life.watch.look(life.now);
    assert.deepEqual((await life.path()).at(-1), 'available journal');
  });

  test('is installed after its inspection by the profile that its segment names', async () => {
    const life = await LifeUnderTest.make(new MemoryStore(), {
      unknownMachines: { installBy: 'web', perHour: 1 },
    });
    await life.tell(firstWord);
    await life.inspect();
    await life.watch.look(life.now);
    const { intent, epoch, state, installAt } = (await life.machine()) ?? {};
    assert.deepEqual([intent, epoch, state], [{ kind: 'install', profile: 'web' }, 2, 'reserved']);
    assert.equal(installAt, undefined);
  });

  test('is left alone once an operator has given it an intent, and one that was registered from the start', async () => {
    const policy = { unknownMachines: { installBy: 'web', perHour: 9 } };
    const life = await LifeUnderTest.make(new MemoryStore(), policy);
    await life.give({ kind: 'inspect' });
    await life.tell({ ...firstWord, mac: macOf(1) }, firstWord);
    await life.give({ kind: 'inspect' }, macOf(1));
    for (const mac of [MAC, macOf(1)]) await life.inspect(mac);
    await life.watch.look(life.now);
    assert.deepEqual(
      (await life.machines.list()).map(({ intent, state }) => [intent?.kind, state]),
      [
        ['inspect', 'available'],
        ['inspect', 'available'],
      ],
    );
  });

  test('waits for its turn: of many, no more are installed in any hour than the segment says, also of two at once', async () => {
    const store = new InterposedStore();
    const life = await LifeUnderTest.make(store, { unknownMachines: { installBy: 'web', perHour: 2 } });
    for (let n = 0; n < 5; n++) await life.tell({ ...firstWord, mac: macOf(n) });
    store.beforeNextCommit(() => life.inspect(macOf(1)));
    await life.inspect(macOf(0));
    await Promise.all([2, 3, 4].map((n) => life.inspect(macOf(n))));
    const reserved = async () =>
      (await life.machines.list()).filter(({ state }) => state === 'reserved').length;
    const counts: number[] = [];
    for (const seconds of [0, 3599, 1, 3599, 1]) {
      life.pass(seconds);
      await life.watch.look(life.now);
      counts.push(await reserved());
    }
    assert.deepEqual(counts, [2, 2, 4, 4, 5]);
  });

  const assigned = (name: string, match: string, profile: string): Assignment =>
    Assignment.parse({ name, match, profile, kernelArguments: [`by=${name}`] });

  test('is installed by what is assigned to it, rather than by the profile of its segment', async () => {
    const life = await LifeUnderTest.make(new MemoryStore(), {
      unknownMachines: { installBy: 'web', perHour: 1 },
    });
    const assignments = [assigned('all', '', 'db'), assigned('seg1', 'segment=seg1', 'cache')];
    await life.store.commit({ put: { assignments } });
    await life.tell(firstWord);
    await life.inspect();
    await life.watch.look(life.now);
    const { intent, epoch, assignment } = (await life.machine()) ?? {};
    assert.deepEqual(intent, { kind: 'install', profile: 'cache' });
    assert.deepEqual(assignment, { name: 'seg1', epoch, kernelArguments: ['by=seg1'], variables: {} });
    assert.match((await life.history()).at(-1)?.reason ?? '', /assignment seg1 says profile cache/);
  });

  test('stays available, with the reason, where nothing is assigned or a tie is, and takes no turn', async () => {
    const life = await LifeUnderTest.make(new MemoryStore(), { unknownMachines: { perHour: 1 } });
    for (let n = 0; n < 3; n++) await life.tell({ ...firstWord, mac: macOf(n) });
    await life.inspect(macOf(0));
    const twins = [assigned('a', 'segment=seg1', 'web'), assigned('b', 'segment=seg1', 'db')];
    await life.store.commit({ put: { assignments: twins } });
    await life.inspect(macOf(1));
    await life.store.commit({ put: { assignments: [assigned('all', '', 'web')] } });
    await life.inspect(macOf(2));
    await life.watch.look(life.now);
    const found = await Promise.all([0, 1, 2].map((n) => life.machine(macOf(n))));
    assert.deepEqual(
      found.map((machine) => [machine?.state, machine?.notInstalled?.reason]),
      [
        ['available', 'nothing is assigned to it, and segment seg1 names no profile'],
        ['available', 'assignments a and b match, and none is narrower than the others'],
        ['reserved', undefined],
      ],
    );
    await life.installs.install(macOf(0), life.now);
    const { state, notInstalled, assignment } = (await life.machine(macOf(0))) ?? {};
    assert.deepEqual([state, notInstalled, assignment?.name], ['reserved', undefined, 'all']);
  });

  test('whose assignment went before its turn stays available, with the reason', async () => {
    const life = await LifeUnderTest.make(new MemoryStore(), { unknownMachines: { perHour: 1 } });
    await life.store.commit({ put: { assignments: [assigned('all', '', 'web')] } });
    await life.tell(firstWord);
    await life.inspect();
    await life.store.commit({ put: { assignments: [] } });
    await life.watch.look(life.now);
    const { state, installAt, notInstalled } = (await life.machine()) ?? {};
    assert.deepEqual([state, installAt], ['available', undefined]);
    assert.match(notInstalled?.reason ?? '', /nothing is assigned to it/);
  });

  test('whose segment changed its mind meanwhile stays available', async () => {
    const life = await LifeUnderTest.make(new MemoryStore(), {
      unknownMachines: { installBy: 'web', perHour: 1 },
    });
    await life.tell(firstWord);
    await life.inspect();
    await life.store.commit({ put: { 'segments/seg1': sampleSegment(1, 'edge1') } });
    await life.watch.look(life.now);
    const { intent, state, installAt } = (await life.machine()) ?? {};
    assert.deepEqual([intent?.kind, state, installAt], ['inspect', 'available', undefined]);
  });
});

test('installations are granted in order, none before its time, and never more than so many in any hour', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: -600, max: 1800 }), { maxLength: 40 }),
      (perHour, gapsSeconds) => {
        let nowMs = 1e12;
        let held: readonly number[] = [];
        const all: number[] = [];
        for (const gap of gapsSeconds) {
          nowMs += gap * 1000;
          const { atMs, grantsMs } = grantInstall(held, perHour, nowMs);
          assert.ok(atMs >= nowMs && atMs >= (all.at(-1) ?? 0));
          held = grantsMs;
          all.push(atMs);
        }
        for (const from of all)
          assert.ok(all.filter((at) => at >= from && at < from + HOUR_MS).length <= perHour);
      },
    ),
  );
});

test('over HTTP: a segment names a profile that there is, and the profile stays as long as it does', async () => {
  await using controller = await ControllerUnderTest.start();
  await controller.joinEdge('edge1');
  const { operator } = controller;
  const body = { ...sampleSegment(1, 'edge1'), unknownMachines: { installBy: 'web', perHour: 5 } };
  await assert.rejects(operator.call(endpoints.addSegment, { body }), {
    code: 'profile_unknown',
    field: 'unknownMachines.installBy',
  });
  const wrong = { ...body, unknownMachines: { installBy: 'web', perHour: 0 } };
  const answer = await controller.fetch('/v1/segments', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wrong),
  });
  const { error } = (await answer.json()) as { error: { field: string } };
  assert.deepEqual([answer.status, error.field], [400, 'unknownMachines.perHour']);
  await controller.services.store.commit({ put: { 'profiles/web': { name: 'web' } } });
  await operator.call(endpoints.addSegment, { body });
  const params = { name: 'web' };
  await assert.rejects(operator.call(endpoints.removeProfile, { params }), { code: 'profile_of_segment' });
  const { unknownMachines: _, ...plain } = body;
  await operator.call(endpoints.replaceSegment, { params: { name: 'seg1' }, body: plain });
  await operator.call(endpoints.removeProfile, { params });
});

test('over HTTP: a machine is moved, and tells how it came there', async () => {
  await using controller = await ControllerUnderTest.start();
  const { operator } = controller;
  const params = { machine: MAC };
  await operator.call(endpoints.setIntent, { params, body: { kind: 'local' } });
  await operator.call(endpoints.overrideState, { params, body: { to: 'active', reason: 'by hand' } });
  await operator.call(endpoints.maintainMachine, { params, body: { isOn: true, reason: 'a fan' } });
  await operator.call(endpoints.maintainMachine, { params, body: { isOn: false, reason: 'a new fan' } });
  await operator.call(endpoints.releaseMachine, { params, body: {} });
  const history = await operator.call(endpoints.machineHistory, { params });
  assert.deepEqual(
    history.map(({ from, to, reason }) => [from, to, reason]),
    [
      ['active', 'wiping', 'released'],
      ['maintenance', 'active', 'a new fan'],
      ['active', 'maintenance', 'a fan'],
      ['unknown', 'active', 'by hand'],
    ],
  );
  const body = { to: 'active', reason: ' ' } as const;
  await assert.rejects(operator.call(endpoints.overrideState, { params, body }), {
    code: 'input_invalid',
    field: 'reason',
  });
});

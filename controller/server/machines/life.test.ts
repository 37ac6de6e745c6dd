import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { MemoryStore } from '../store/memory-store.ts';
import { LifeUnderTest, LIFE_MAC as MAC } from '../testing/life-under-test.ts';

const install = { kind: 'install', profile: 'web' } as const;
const wipeAll = { kind: 'wipe', method: 'auto', disks: 'all' } as const;
const local = { kind: 'local' } as const;
const reason = 'as a test says';

let life: LifeUnderTest;
const state = async () => (await life.machine())?.state;

beforeEach(async () => {
  life = await LifeUnderTest.make(new MemoryStore());
});

/** Of epoch 1. */
async function installed(): Promise<void> {
  await life.give(install);
  await life.tell(
    { stage: 'offer', netboot: true },
    { stage: 'install', epoch: 1 },
    { stage: 'install', epoch: 1, spentEpoch: 1 },
    { stage: 'first-boot', epoch: 1, spentEpoch: 1 },
  );
}

describe('the life of a machine', () => {
  test('goes from its first packet over an inspection and an installation to a wipe, and is told', async () => {
    await life.tell({ stage: 'offer', netboot: true });
    await life.give({ kind: 'inspect' });
    await life.tell({ stage: 'script', next: 'agent' }, { stage: 'agent' });
    await life.inspect();
    await life.give(install);
    await life.tell(
      { stage: 'install', epoch: 2 },
      { stage: 'install', epoch: 2, spentEpoch: 2 },
      { stage: 'first-boot', epoch: 2, spentEpoch: 2 },
    );
    await life.lives.release(MAC, { reason, method: 'auto' }, life.now);
    await life.tell({ stage: 'wipe', epoch: 3 }, { stage: 'wipe', epoch: 3, spentEpoch: 3 });
    assert.deepEqual(await life.path(), [
      'discovered journal',
      'inspecting journal',
      'available journal',
      'reserved operator',
      'installing journal',
      'installed journal',
      'active journal',
      'wiping operator',
      'available journal',
    ]);
    const [, , , , begun] = await life.history();
    assert.equal(begun?.reason, 'edge1: install of epoch 2');
  });

  test('with an installer of a distribution ends once the machine boots its disk', async () => {
    await life.give({ kind: 'installer', profile: 'debian' });
    await life.tell(
      { stage: 'answers', spentEpoch: 1 },
      { stage: 'script', next: 'nothing', spentEpoch: 1 },
      { stage: 'installed', spentEpoch: 1 },
    );
    assert.deepEqual([await state(), (await life.machine())?.deadlineAt], ['installed', undefined]);
    await life.tell({ stage: 'script', next: 'nothing', spentEpoch: 1 });
    assert.equal(await state(), 'active');
  });

  test('that fails names why, and a wipe that was not proved leaves nothing available', async () => {
    await installed();
    await life.give(wipeAll);
    await life.tell({ stage: 'wipe', epoch: 2 }, { stage: 'wipe', epoch: 2, cause: 'wipe_failed' });
    assert.equal(await state(), 'wiping', 'another try follows');
    await life.tell({ stage: 'wipe', epoch: 2, cause: 'wipe_failed', spentEpoch: 2 });
    assert.deepEqual((await life.path()).slice(-2), ['wiping operator', 'failed journal wipe_failed']);
  });

  test('after a wipe of some disks says no more than that the machine is there', async () => {
    await life.give({ ...wipeAll, disks: ['S-1'] });
    await life.tell({ stage: 'wipe', epoch: 1 }, { stage: 'wipe', epoch: 1, spentEpoch: 1 });
    assert.equal(await state(), 'discovered');
  });

  test('moves by no record of an epoch that is over', async () => {
    await installed();
    await life.give(install);
    await life.tell(
      { stage: 'install', epoch: 1, cause: 'install_failed', spentEpoch: 1 },
      { stage: 'first-boot', epoch: 1, spentEpoch: 1 },
      { stage: 'first-boot', epoch: 1, cause: 'no_first_boot' },
    );
    assert.equal(await state(), 'reserved');
  });

  test('goes on where an edge that was cut off tells after the deadline how it went', async () => {
    await life.give(install);
    await life.tell({ stage: 'install', epoch: 1 });
    life.pass(7 * 3600);
    await life.watch.look(life.now);
    assert.equal((await life.machine())?.cause, 'deadline_passed_installing');
    await life.tell({ stage: 'install', epoch: 1, spentEpoch: 1 });
    const { state: after, cause } = (await life.machine()) ?? {};
    assert.deepEqual([after, cause], ['installed', undefined]);
  });
});

describe('an intent that is given', () => {
  test('sets a machine aside, and taken back before anything came of it leaves it as it was', async () => {
    await installed();
    for (const armed of [install, wipeAll, install]) await life.give(armed);
    await life.give(local);
    assert.deepEqual((await life.path()).slice(-4), [
      'reserved operator',
      'wiping operator',
      'reserved operator',
      'active operator',
    ]);
    assert.deepEqual(
      [(await life.machine())?.before, (await life.machine())?.workEpoch],
      [undefined, undefined],
    );
  });

  test('brings a machine that an operator gave up back to that, cause and all', async () => {
    await life.tell({ stage: 'offer', netboot: true });
    await life.lives.override(MAC, { to: 'failed', reason }, life.now);
    await life.give(install);
    await life.give(local);
    assert.deepEqual((await life.path()).slice(-2), ['reserved operator', 'failed operator set_by_operator']);
  });

  test('in the middle of an installation leaves it failed, and what follows of that moves nothing', async () => {
    await life.give(install);
    await life.tell({ stage: 'install', epoch: 1 });
    await life.give({ kind: 'live', release: 'minimal/1.0/amd64' });
    await life.tell({ stage: 'install', epoch: 1, spentEpoch: 1 });
    const { state: after, cause } = (await life.machine()) ?? {};
    assert.deepEqual([after, cause], ['failed', 'work_called_off']);
  });

  test('while the first boot is awaited ends the wait', async () => {
    await life.give(install);
    await life.tell({ stage: 'install', epoch: 1 }, { stage: 'install', epoch: 1, spentEpoch: 1 });
    assert.notEqual((await life.machine())?.deadlineAt, undefined);
    await life.give({ kind: 'live', release: 'minimal/1.0/amd64' });
    life.pass(30 * 86_400);
    await life.watch.look(life.now);
    assert.equal(await state(), 'installed');
    await life.tell({ stage: 'first-boot', epoch: 1, spentEpoch: 1 });
    assert.equal(await state(), 'active');
  });

  test('to inspect takes a failed machine back to the beginning', async () => {
    await life.give({ kind: 'inspect' });
    await life.tell({ stage: 'agent' });
    life.pass(31 * 60);
    await life.watch.look(life.now);
    assert.equal((await life.machine())?.cause, 'deadline_passed_inspecting');
    await life.give({ kind: 'inspect' });
    assert.equal(await state(), 'discovered');
  });
});

describe('an operator', () => {
  test('who says a state calls off what is armed: its epoch is over', async () => {
    await life.give(install);
    const { intent, epoch, workEpoch } = await life.lives.override(MAC, { to: 'active', reason }, life.now);
    assert.deepEqual([intent, epoch, workEpoch], [local, 2, undefined]);
    await life.tell({ stage: 'install', epoch: 1 }, { stage: 'install', epoch: 1, spentEpoch: 1 });
    assert.equal(await state(), 'active');
  });

  test('takes a machine into maintenance, where nothing moves it, and back to what it was', async () => {
    await installed();
    await life.give(install);
    const on = { isOn: true, reason };
    assert.equal((await life.lives.maintain(MAC, on, life.now)).intent?.kind, 'local');
    const { history } = life;
    const before = await history.call(life);
    await life.lives.maintain(MAC, on, life.now);
    await life.tell({ stage: 'install', epoch: 2 }, { stage: 'script', next: 'agent' });
    assert.deepEqual(await life.history(), before);
    await life.lives.maintain(MAC, { isOn: false, reason }, life.now);
    await life.lives.maintain(MAC, { isOn: false, reason }, life.now);
    assert.deepEqual((await life.path()).slice(-2), ['maintenance operator', 'active operator']);
  });

  test('who arms something in maintenance finds the machine set aside for it afterwards', async () => {
    await installed();
    await life.lives.maintain(MAC, { isOn: true, reason }, life.now);
    await life.give(install);
    assert.equal(await state(), 'maintenance');
    await assert.rejects(life.lives.release(MAC, { reason, method: 'auto' }, life.now), {
      code: 'machine_state_not_allowed',
    });
    await life.lives.maintain(MAC, { isOn: false, reason }, life.now);
    assert.equal(await state(), 'reserved');
  });

  test('who releases a machine twice has its disks wiped once', async () => {
    await installed();
    const first = await life.lives.release(MAC, { reason, method: 'overwrite' }, life.now);
    assert.deepEqual(first.intent, { kind: 'wipe', disks: 'all', method: 'overwrite' });
    assert.deepEqual(await life.lives.release(MAC, { reason, method: 'overwrite' }, life.now), first);
  });

  test('is told what there is no machine for, and what may not be', async () => {
    await assert.rejects(life.lives.history('52:54:00:00:00:99'), { code: 'not_found' });
    await life.give(local);
    await life.lives.override(MAC, { to: 'available', reason }, life.now);
    await assert.rejects(life.lives.override(MAC, { to: 'available', reason }, life.now), {
      code: 'machine_state_not_allowed',
      field: 'to',
    });
  });
});

describe('a machine as an older controller stored it', () => {
  const old = { id: 'm-1', macs: [MAC], lastSeenAt: '2026-01-01T00:00:00.000Z' };
  const told = { at: '2026-01-01T00:00:00.000Z', edge: 'edge1', detail: 'x' };
  const stored = (machine: object) =>
    life.store.commit({ put: { 'machines/m-1': { ...old, ...machine }, [`machine-macs/${MAC}`]: ['m-1'] } });

  test('moves on from the state that follows from what it holds', async () => {
    await stored({ intent: install, epoch: 3 });
    await life.tell({ stage: 'install', epoch: 3 });
    const [first] = await life.history();
    assert.deepEqual([first?.from, first?.to], ['reserved', 'installing']);
  });

  test('that was installed is active, and set aside where it is to be installed again', async () => {
    const work = { ...told, kind: 'install', epoch: 3, state: 'active', isOver: true };
    await stored({ intent: install, epoch: 3, work, spent: { ...told, epoch: 3 } });
    await life.give(install);
    const [first] = await life.history();
    assert.deepEqual([first?.from, first?.to, (await life.machine())?.workEpoch], ['active', 'reserved', 4]);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultsSite, writesTo } from './testing/faults-site.ts';
import {
  putDataMark,
  putLvmMember,
  putOldSystem,
  putRaidMember,
  putZfsMember,
} from './testing/foreign-disks.ts';
import { planCuts } from './testing/power-cuts.ts';
import { breakingOff, damaging, watched } from './testing/transfer-faults.ts';
import { keptAfterCut, readWriteLog, replay } from './testing/write-log.ts';
import { isThorough } from './thorough.ts';

const POWER_CUTS = Number(process.env['BOOTSWARM_POWER_CUTS'] ?? (isThorough ? 20 : 2));
const SEED = Number(process.env['BOOTSWARM_SEED'] ?? 1);
const MIB = 2 ** 20;
const FETCHING_MS = 180_000;
const EDGE_GONE_MS = 15_000;
/** The agent gives a transfer up after a minute without a byte. */
const CABLE_PULLED_MS = 75_000;
/** Of the log: the boot loader's name in a FAT, and that it was unmounted. */
const LAST_WRITES = 6;
/** Within GRUB's core, that is written and never read before it is read back. */
const IN_GRUB = MIB + 20 * 1024;

describe('faults while a machine is installed', { timeout: 4 * 60 * 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-faults-'));
  let site: FaultsSite;

  before(async () => {
    site = await FaultsSite.start(folder);
  });

  after(async () => {
    await site.stop();
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    site.edge.fault = undefined;
    site.edge.order = undefined;
    site.edge.triesMost = 2;
  });

  test('the power goes at any moment: firmware starts nothing or a whole system, and the next try ends it', async () => {
    await cutAndResume(site, POWER_CUTS);
  });

  test('what must not be written is refused by name, and not a byte is', async () => {
    const twins = [site.disk('TWIN'), site.disk('TWIN')];
    const wwn = '0x5000c50015ea7000';
    const paths = [site.disk('PATH', { wwn }), site.disk('PATH', { wwn })];
    const small = site.disk('SMALL', { bytes: 960 * MIB });
    const foreign = { MARK: putDataMark, RAID: putRaidMember, LVM: putLvmMember, ZFS: putZfsMember };
    const held = Object.entries(foreign).map(([serial, put]) => {
      const disk = site.disk(serial);
      put(disk.file);
      return disk;
    });
    const free = site.disk('FREE');
    putOldSystem(free.file);
    const disks = [...twins, ...paths, small, ...held, free];
    const on = (serial: string, more: object = {}): object => ({ disks: [{ serial }], ...more });
    const volume = { name: 'srv', size: '1GiB', mount: '/srv' };
    const cases: readonly (readonly [name: string, layout: object, cause: string])[] = [
      ['a disk that is not there', on('GONE'), 'disk_not_found'],
      ['two disks of one serial', on('TWIN'), 'disk_ambiguous'],
      ['one disk by two paths', { disks: [{ wwn }] }, 'disk_ambiguous'],
      [
        'two halves of a mirror on one disk',
        { disks: [{ serial: 'FREE' }, { serial: 'FREE' }] },
        'disk_twice',
      ],
      ['a disk that is too small', on('SMALL'), 'disk_too_small'],
      ['a root larger than its disk', on('FREE', { root: { size: '2GiB' } }), 'disk_too_small'],
      ['a root smaller than its image', on('FREE', { root: { size: '200MiB' } }), 'root_too_small'],
      [
        'volumes larger than the rest',
        on('FREE', { root: { size: '1100MiB' }, lvm: { volumes: [volume] } }),
        'volumes_too_large',
      ],
      ['a data mark', on('MARK'), 'disk_holds_data'],
      ["a member of somebody's RAID", on('RAID'), 'disk_holds_data'],
      ['a physical volume of somebody', on('LVM'), 'disk_holds_data'],
      ["a member of somebody's pool", on('ZFS'), 'disk_holds_data'],
    ];
    // Each is told once.
    site.edge.triesMost = 1;
    await using guest = await site.wake(disks);
    for (const [name, layout, cause] of cases) {
      site.arm(layout);
      assert.equal(await site.ended(guest), cause, name);
      assert.equal(site.edge.begun.length, 0, name);
    }
    for (const disk of disks) assert.equal(writesTo(disk), 0, disk.serial);

    // The same disk, once it is named.
    site.arm(on('ZFS', { mayErase: ['ZFS'] }));
    await guest.until('partitioning', () => site.isAt('mount'), 120_000);
    for (const disk of disks) assert.equal(writesTo(disk) > 0, disk.serial === 'ZFS', disk.serial);
  });

  test('after two tries that were broken off there is no third', { skip: !isThorough }, async () => {
    const disk = site.disk('LOOP');
    site.arm({ disks: [{ serial: 'LOOP' }] });
    for (const tries of [1, 2]) {
      site.edge.reports.length = 0;
      site.edge.lines.length = 0;
      await site.cutPower([disk], `within try ${tries}`, () => site.isAt('mount'));
      assert.equal(site.edge.begun.length, tries);
      assert.ok(writesTo(disk) > 0);
    }
    await using guest = await site.wake([disk]);
    const isTold = (): boolean => site.edge.reports.some(({ stage }) => stage === 'failed');
    await guest.until('told that it is over', isTold, 120_000);
    assert.match(guest.console, /tried as often as it may be/);
    assert.equal(site.edge.begun.length, 2);
    assert.equal(writesTo(disk), 0);
    assert.equal(await site.boot(disk.file), 'nothing');
  });

  test('disks come in another order than at the try before', { skip: !isThorough }, async () => {
    const [meant, other] = [site.disk('MEANT'), site.disk('OTHER')];
    putOldSystem(other.file);
    site.arm({ disks: [{ serial: 'MEANT' }] });
    await site.cutPower([meant, other], 'unpacking', () => site.isAt('unpack'));
    assert.equal(writesTo(other), 0);
    assert.equal(await site.install([other, meant]), 'done');
    assert.equal(writesTo(other), 0);
    assert.equal(await site.boot(meant.file), 'whole');
  });

  test('a disk that cannot be read back fails by name, and is not started', {
    skip: !isThorough,
  }, async () => {
    const disk = { ...site.disk('BAD'), unreadable: [IN_GRUB] };
    const { file, serial, unreadable } = disk;
    putOldSystem(file);
    site.arm({ disks: [{ serial }] });
    assert.equal(await site.install([{ file, serial, unreadable }]), 'disk_failed');
    assert.equal(await site.boot(file), 'nothing');
  });

  test('what comes wrong once is fetched again', { skip: !isThorough }, async () => {
    const disk = site.disk('ONCE');
    const starts: number[] = [];
    site.edge.fault = watched(starts, damaging(site.release, 1));
    site.arm({ disks: [{ serial: 'ONCE' }] });
    assert.equal(await site.install([disk]), 'done');
    assert.equal(starts.length, 2);
    assert.ok((starts[1] ?? 0) > 0, 'only what is missing');
    assert.equal(await site.boot(disk.file), 'whole');
  });

  test('what comes wrong always fails by name, and is not started', { skip: !isThorough }, async () => {
    const disk = site.disk('ALWAYS');
    site.edge.fault = damaging(site.release, Number.POSITIVE_INFINITY);
    site.arm({ disks: [{ serial: 'ALWAYS' }] });
    assert.equal(await site.install([disk]), 'piece_wrong');
    assert.equal(await site.boot(disk.file), 'nothing');
  });

  test('a transfer that breaks off, and is refused twice, goes on from there', {
    skip: !isThorough,
  }, async () => {
    const disk = site.disk('BROKEN');
    const starts: number[] = [];
    site.edge.fault = watched(starts, breakingOff(site.release, 2));
    site.arm({ disks: [{ serial: 'BROKEN' }] });
    assert.equal(await site.install([disk]), 'done');
    assert.equal(starts.length, 4);
    assert.ok(starts.slice(1).every((start) => start > 0 && start === starts[1]));
    assert.equal(await site.boot(disk.file), 'whole');
  });

  test('an edge that is gone for a while is asked for the rest', { skip: !isThorough }, async () => {
    const disk = site.disk('EDGE');
    const starts: number[] = [];
    site.edge.fault = watched(starts);
    site.arm({ disks: [{ serial: 'EDGE' }] });
    await using guest = await site.wake([disk]);
    await guest.until('fetching', () => site.fetchedBytes > 0, FETCHING_MS);
    await site.edge.pause();
    await sleep(EDGE_GONE_MS);
    await site.edge.goOn();
    assert.equal(await site.ended(guest), 'done');
    assert.ok(starts.length > 1 && starts.slice(1).every((start) => start > 0), starts.join());
    await guest.rebooted(FETCHING_MS);
    assert.equal(await site.boot(disk.file), 'whole');
  });

  test('a cable that is pulled for longer than a minute is no failure', { skip: !isThorough }, async () => {
    const disk = site.disk('CABLE');
    const starts: number[] = [];
    site.edge.fault = watched(starts);
    site.arm({ disks: [{ serial: 'CABLE' }] });
    await using guest = await site.wake([disk]);
    await guest.until('fetching', () => site.fetchedBytes > 0, FETCHING_MS);
    await guest.setLink(false);
    await sleep(CABLE_PULLED_MS);
    await guest.setLink(true);
    assert.equal(await site.ended(guest), 'done');
    assert.ok(starts.length > 1 && starts.slice(1).every((start) => start > 0), starts.join());
    await guest.rebooted(FETCHING_MS);
    assert.equal(await site.boot(disk.file), 'whole');
  });

  test('the same with UEFI', { skip: !isThorough }, async () => {
    await cutAndResume(await site.withFirmware('uefi'), Math.ceil(POWER_CUTS / 2));
  });
});

/**
 * Installs once onto what an old system left, makes of the log of that the disks that power cuts would have left, boots
 * each of them, and goes on with some.
 */
async function cutAndResume(site: FaultsSite, cuts: number): Promise<void> {
  const disk = site.disk('CUT');
  putOldSystem(disk.file);
  const untouched = site.disk('CUT');
  putOldSystem(untouched.file);
  const old = site.firmware === 'bios' ? 'the old system' : 'nothing';
  assert.equal(await site.boot(untouched.file), old);

  site.arm({ disks: [{ serial: 'CUT' }], swap: '16MiB' });
  assert.equal(await site.install([disk]), 'done');
  assert.equal(await site.boot(disk.file), 'whole');

  const log = readWriteLog(disk.logFile);
  const counts = { nothing: 0, 'the old system': 0, whole: 0, resumed: 0 };
  for (const { count, chance, isResumed } of planCuts(log, cuts, SEED)) {
    const cut = site.disk('CUT');
    const kept = keptAfterCut(log, count, chance);
    replay(untouched.file, cut.file, disk.logFile, kept);
    const told = `cut after ${count} of ${log.length} with seed ${SEED}`;
    const found = await site.boot(cut.file).catch((error: Error) => {
      throw new Error(`${told}: half of a system is started: ${error.message}`);
    });
    counts[found] += 1;
    if (found === 'the old system')
      assert.ok(
        kept.every(({ kind }) => kind === 'flush'),
        `${told}: the old one is started again`,
      );
    const left = log.slice(count).filter(({ kind }) => kind === 'write');
    // The name or the code by which firmware starts it is the last.
    if (found === 'whole') assert.ok(left.length <= LAST_WRITES, `${told}: it starts too early`);
    if (!isResumed) {
      rmSync(cut.file);
      continue;
    }
    site.edge.begun.length = 1;
    site.edge.ended.length = 0;
    site.edge.reports.length = 0;
    assert.equal(await site.install([cut]), 'done', told);
    assert.equal(site.edge.begun.length, 2);
    assert.equal(await site.boot(cut.file), 'whole', told);
    counts.resumed += 1;
    rmSync(cut.file);
  }
  console.log(`${cuts} cuts of ${log.length} steps: ${JSON.stringify(counts)}`);
}

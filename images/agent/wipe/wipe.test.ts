import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Disk } from '@bootswarm/images/install';
import { Progress } from '../install/progress.ts';
import type { Programs } from '../install/run-program.ts';
import { chooseWiped } from './choose-wiped.ts';
import { sampleRanges } from './sample.ts';
import { wipeDisk } from './wipe.ts';
import { wipeDisks } from './wipe-disks.ts';

const MIB = 2 ** 20;

const disk = (name: string, more: Partial<Disk> = {}): Disk => ({
  name,
  sizeBytes: 40 * MIB,
  sectorBytes: 512,
  serial: `S-${name}`,
  byPath: [],
  isRotational: false,
  isRemovable: false,
  isReadOnly: false,
  isBusy: false,
  holds: [],
  ...more,
});
const marked = disk('sdm', { holds: [{ kind: 'data-mark', where: 'sdm1', detail: 'bootswarm-keep' }] });
const unreadable: Disk['holds'][number] = { kind: 'unreadable', where: 'sda', detail: 'EIO' };

describe('which disks are wiped', () => {
  const disks = [disk('sda', { wwn: '0x5000c50015ea71aa' }), disk('sdb')];

  test('all but what is removable', () => {
    const chosen = chooseWiped([...disks, disk('sdu', { isRemovable: true })], 'all');
    assert.deepEqual(chosen, disks);
  });

  test('those that are named by serial number or WWN, each once', () => {
    assert.deepEqual(chooseWiped(disks, ['S-sda', '0x5000C50015EA71AA']), [disks[0]]);
  });

  test('a disk with the mark, if it is named', () => {
    assert.deepEqual(chooseWiped([marked], ['S-sdm']), [marked]);
  });

  for (const [what, found, wanted, code] of [
    ['a name that no disk has', disks, ['S-sdc'], 'wipe_disk_unknown'],
    [
      'a name that two disks have',
      [disk('sda'), disk('sdb', { serial: 'S-sda' })],
      ['S-sda'],
      'wipe_disk_ambiguous',
    ],
    ['a disk in use', [disk('sda', { isBusy: true })], 'all', 'wipe_disk_in_use'],
    ['a disk that can only be read', [disk('sda', { isReadOnly: true })], 'all', 'wipe_disk_read_only'],
    ['all, where one has the mark', [...disks, marked], 'all', 'wipe_disk_marked'],
    ['all, where one cannot be read', [disk('sda', { holds: [unreadable] })], 'all', 'wipe_disk_unreadable'],
    ['all of no disk', [], 'all', 'wipe_nothing'],
  ] as const)
    test(`refused: ${what}`, () => {
      assert.throws(() => chooseWiped(found, wanted), { code });
    });
});

describe('the disks of an order', () => {
  /** @returns what was run, and the code of how it failed. */
  async function wiped(
    before: readonly Disk[],
    after: readonly Disk[],
    failing: Error = new Error('the first is enough'),
  ): Promise<{ readonly ran: readonly string[]; readonly code: unknown }> {
    const ran: string[] = [];
    const seen = [before, after];
    const signal = AbortSignal.timeout(5_000);
    const run: Programs['run'] = async (argv) => {
      ran.push(argv.join(' '));
      throw failing;
    };
    const wiping = wipeDisks({
      order: { disks: 'all', method: 'overwrite' },
      findDisks: async () => seen.shift() ?? [],
      begin: async () => {},
      progress: new Progress(
        () => {},
        () => 0,
      ),
      programs: { run },
      say: () => {},
      signal,
    });
    const error = await wiping.then(
      () => assert.fail('it must fail'),
      (each: NodeJS.ErrnoException) => each,
    );
    return { ran, code: error.code ?? error.message };
  }

  for (const [name, before, after] of [
    ['one more', ['sda'], ['sda', 'sdb']],
    ['one less', ['sda', 'sdb'], ['sda']],
    ['another', ['sda'], ['sdb']],
  ] as const)
    test(`are not wiped where there is ${name} than was told`, async () => {
      const { ran, code } = await wiped(
        before.map((each) => disk(each)),
        after.map((each) => disk(each)),
      );
      assert.equal(code, 'disks_changed');
      assert.deepEqual(ran, []);
    });

  test('are the same where they only changed their names', async () => {
    const [a, b] = [disk('sda'), disk('sdb')];
    const { ran } = await wiped(
      [a, b],
      [
        { ...b, name: 'sda' },
        { ...a, name: 'sdb' },
      ],
    );
    assert.ok(ran.length > 0);
  });

  test('fail by name where one answers with an error', async () => {
    const error = Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
    assert.equal((await wiped([disk('sda')], [disk('sda')], error)).code, 'disk_failed');
  });
});

describe('what is read to prove it', () => {
  for (const sizeBytes of [512, MIB, 40 * MIB, 1056 * MIB, 1057 * MIB, 4 * 2 ** 40 + 512])
    test(`of ${sizeBytes} bytes: both ends, and places that lie apart`, () => {
      const ranges = sampleRanges(sizeBytes, () => 0.999999);
      assert.equal(ranges[0]?.start, 0);
      const last = ranges.at(-1);
      assert.equal((last?.start ?? 0) + (last?.length ?? 0), sizeBytes);
      for (const [index, { start }] of ranges.slice(1).entries()) {
        const before = ranges[index];
        assert.ok(before && before.start + before.length <= start, `${start}`);
      }
      const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
      assert.ok(bytes === Math.min(sizeBytes, 1056 * MIB), `${bytes}`);
    });
});

describe('a disk', () => {
  let folder: string;
  let ran: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-wipe-'));
    ran = [];
    await writeFile(join(folder, 'sda'), Buffer.alloc(40 * MIB, 'secret'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A fake of the programs, which would want a block device. */
  const fake = (
    act: Readonly<Record<string, (argv: readonly string[]) => Promise<string>>> = {},
  ): Programs => ({
    run: async (argv) => {
      const [program] = argv;
      ran.push(program);
      return { code: 0, stdout: (await act[program]?.(argv)) ?? '' };
    },
  });

  const wipe = (method: 'auto' | 'discard' | 'secure-erase' | 'overwrite', programs: Programs) => {
    const progress: number[] = [];
    const done = wipeDisk(disk('sda'), {
      programs,
      method,
      devices: folder,
      say: () => {},
      onProgress: ({ doneBytes = 0 }) => progress.push(doneBytes),
      signal: AbortSignal.timeout(20_000),
    });
    return { done, progress };
  };

  const zeroed = async (): Promise<boolean> => {
    await using file = await open(join(folder, 'sda'));
    return (await file.readFile()).every((byte) => byte === 0);
  };

  test('is overwritten to its last byte and read back, its signatures first', async () => {
    const { done, progress } = wipe('overwrite', fake());
    assert.equal(await done, 'overwrite');
    assert.ok(await zeroed());
    assert.deepEqual(ran.slice(0, 2), ['hdparm', 'wipefs']);
    assert.equal(progress.at(-1), 40 * MIB);
  });

  test('that takes no discards is overwritten unless said, and refused where that was asked for', async () => {
    assert.equal(await wipe('auto', fake()).done, 'overwrite');
    await assert.rejects(wipe('discard', fake()).done, { code: 'wipe_method_unsupported' });
  });

  test('that holds something at its end after it was erased is not said to be wiped', async () => {
    const hdparm = async (): Promise<string> => {
      await using file = await open(join(folder, 'sda'), 'r+');
      await file.write(Buffer.alloc(39 * MIB), 0, 39 * MIB, 0);
      return 'Security:\n\tsupported\n\tnot\tfrozen\n';
    };
    await assert.rejects(wipe('secure-erase', fake({ hdparm })).done, { code: 'wipe_not_proved' });
  });

  /** A fake of a drive that has, or will have once its power is cut, a password. */
  class LockingDrive implements Programs {
    readonly ran: string[] = [];
    #password: string | undefined;
    #isLocked = false;

    constructor(password?: string) {
      this.#password = password;
      this.#isLocked = password !== undefined;
    }

    cutPower(): void {
      this.#isLocked = this.#password !== undefined;
    }

    readonly run: Programs['run'] = async (argv) => {
      const [program, ...rest] = argv;
      const act = rest.find((each) => each.startsWith('--security-'))?.slice('--security-'.length);
      this.ran.push(act ?? program);
      const password = rest.at(-2);
      if (act === undefined && program === 'wipefs' && this.#isLocked) throw new Error('it is locked');
      if (act === 'set-pass') this.#password = password;
      else if (act !== undefined && password !== this.#password) throw new Error('a wrong password');
      if (act === 'unlock') this.#isLocked = false;
      if (act === 'disable') this.#password = undefined;
      if (act === 'erase') {
        if (this.ran.filter((each) => each === 'erase').length === 1) throw new Error('the power goes');
        this.#password = undefined;
        await writeFile(join(folder, 'sda'), Buffer.alloc(40 * MIB));
      }
      const lock = this.#isLocked ? '\t\tlocked\n' : '\tnot\tlocked\n';
      return { code: 0, stdout: `Security:\n\t\tsupported\n${lock}\tnot\tfrozen\n` };
    };
  }

  test('whose erase failed has no password any more', async () => {
    const drive = new LockingDrive();
    await assert.rejects(wipe('secure-erase', drive).done, /the power goes/);
    assert.equal(drive.ran.at(-1), 'disable');
    drive.cutPower();
    assert.equal(await wipe('secure-erase', drive).done, 'secure-erase');
  });

  test('that an erase left locked is unlocked before anything else', async () => {
    const drive = new LockingDrive('bootswarm');
    assert.equal(await wipe('overwrite', drive).done, 'overwrite');
    assert.deepEqual(drive.ran.slice(0, 4), ['hdparm', 'unlock', 'disable', 'wipefs']);
  });

  test('that somebody else locked is refused by name', async () => {
    await assert.rejects(wipe('secure-erase', new LockingDrive('theirs')).done, { code: 'wipe_disk_locked' });
  });

  test('that erases itself to noise is wiped', async () => {
    const hdparm = async (argv: readonly string[]): Promise<string> => {
      if (argv.includes('--security-erase'))
        await writeFile(join(folder, 'sda'), Buffer.alloc(40 * MIB, 'noise!!'));
      return 'Security:\n\tsupported\n\tnot\tfrozen\n';
    };
    assert.equal(await wipe('secure-erase', fake({ hdparm })).done, 'secure-erase');
  });

  for (const [what, printed] of [
    ['has no security erase', 'Security:\n\tnot\tsupported\n'],
    ['was frozen by the firmware', 'Security:\n\tsupported\n\t\tfrozen\n'],
  ] as const)
    test(`that ${what} is not erased by its own means`, async () => {
      await assert.rejects(wipe('secure-erase', fake({ hdparm: async () => printed })).done, {
        code: 'wipe_method_unsupported',
      });
    });
});

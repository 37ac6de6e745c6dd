import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Artefact, sha256Of } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { quietLog } from '../testing/quiet-log.ts';
import { ArtefactRoom, RESERVE_BYTES } from './artefact-room.ts';

const HOUR = 3_600_000;
const MB = 1_000_000;

interface Bench {
  readonly folder: ArtefactFolder;
  readonly room: ArtefactRoom;
  readonly removed: string[];
  /** Of the disk, beyond what the folder holds. */
  disk: { freeBytes: number; allBytes: number };
  now: Date;
  /** Lays a whole artefact of a megabyte. @returns its SHA-256. */
  readonly hold: (name: string) => Promise<string>;
}

async function withRoom(run: (bench: Bench) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'bootswarm-room-'));
  try {
    const folder = await ArtefactFolder.open(path);
    const bench: Bench = {
      folder,
      removed: [],
      disk: { freeBytes: 1000 * MB + RESERVE_BYTES, allBytes: 2000 * MB },
      now: new Date(),
      room: new ArtefactRoom(folder, quietLog().log, {
        now: () => bench.now,
        disk: async () => {
          const held = [...(await folder.survey('whole')), ...(await folder.survey('partial'))];
          const bytes = held.reduce((sum, each) => sum + each.bytes, 0);
          return { ...bench.disk, freeBytes: bench.disk.freeBytes - bytes };
        },
      }),
      hold: async (name) => {
        await writeFile(folder.pathOf(sha256Of(name)), Buffer.alloc(MB));
        return sha256Of(name);
      },
    };
    await run(bench);
  } finally {
    await rm(path, { recursive: true });
  }
}

const later = (bench: Bench, hours: number): void => {
  bench.now = new Date(bench.now.getTime() + hours * HOUR);
};
const tidy = (bench: Bench, ...wanted: readonly string[]): Promise<void> =>
  bench.room.tidy(
    (sha256) => wanted.includes(sha256),
    (sha256) => bench.removed.push(sha256),
  );
const artefactOf = (name: string, length: number): Artefact => ({
  role: 'root',
  name,
  length,
  sha256: sha256Of(name),
  pieceBytes: MB,
  pieces: [],
});
const make = (bench: Bench, name: string, length: number, ...wanted: readonly string[]): Promise<void> =>
  bench.room.make(
    artefactOf(name, length),
    (sha256) => wanted.includes(sha256),
    (sha256) => bench.removed.push(sha256),
  );

describe('the room of an edge', () => {
  test('keeps what was wanted within a day, by the time when it was last wanted', () =>
    withRoom(async (bench) => {
      const [old, wanted] = [await bench.hold('old'), await bench.hold('wanted')];
      later(bench, 100);
      await tidy(bench, old, wanted);
      later(bench, 23);
      await tidy(bench, wanted);
      assert.deepEqual(bench.removed, []);
      later(bench, 2);
      await tidy(bench, wanted);
      assert.deepEqual(bench.removed, [old]);
      assert.deepEqual(await bench.folder.list(), [wanted]);
    }));

  test('removes the half of an artefact that nothing wants any more as well', () =>
    withRoom(async (bench) => {
      const [mine, other] = [sha256Of('mine'), sha256Of('other')];
      for (const sha256 of [mine, other]) await writeFile(bench.folder.partialPathOf(sha256), 'half');
      later(bench, 25);
      await tidy(bench, mine);
      assert.deepEqual(
        (await bench.folder.survey('partial')).map(({ sha256 }) => sha256),
        [mine],
      );
      assert.deepEqual(bench.removed, [], 'it never was ready');
    }));

  test('holds no more than its share of what nothing wants', () =>
    withRoom(async (bench) => {
      const held = [await bench.hold('one'), await bench.hold('two')];
      for (const sha256 of held) {
        later(bench, 1);
        await bench.folder.touch(sha256, bench.now);
      }
      bench.disk.allBytes = 4 * MB;
      await tidy(bench);
      assert.deepEqual(bench.removed, held.slice(0, 1));
    }));

  test('never removes what is being read', () =>
    withRoom(async (bench) => {
      const sent = await bench.hold('sent');
      later(bench, 48);
      {
        await using _reader = await open(bench.folder.pathOf(sent));
        await tidy(bench);
        await assert.rejects(make(bench, 'new', 1000 * MB), { code: 'artefact_no_room' });
        assert.deepEqual(bench.removed, []);
      }
      await tidy(bench);
      assert.deepEqual(bench.removed, [sent]);
    }));

  test('never removes what became wanted meanwhile', () =>
    withRoom(async (bench) => {
      const sha256 = await bench.hold('back again');
      later(bench, 48);
      let asked = 0;
      // The first questions are those of choosing; the last one comes right before.
      await bench.room.tidy(
        () => ++asked > 2,
        (each) => bench.removed.push(each),
      );
      assert.deepEqual(bench.removed, []);
      assert.deepEqual(await bench.folder.list(), [sha256]);
    }));

  test('is made at the cost of what nothing wants, and of no more than that', () =>
    withRoom(async (bench) => {
      const [oldest, newer, wanted] = [
        await bench.hold('oldest'),
        await bench.hold('newer'),
        await bench.hold('w'),
      ];
      await bench.folder.touch(oldest, new Date(bench.now.getTime() - HOUR));
      await make(bench, 'fits', 997 * MB, wanted);
      assert.deepEqual(bench.removed, []);
      await make(bench, 'fits', 998 * MB, wanted);
      assert.deepEqual(bench.removed, [oldest]);
      await make(bench, 'fits', 999 * MB, wanted);
      assert.deepEqual(bench.removed, [oldest, newer]);
      await assert.rejects(make(bench, 'too large', 1000 * MB, wanted), {
        code: 'artefact_no_room',
        message: 'no room for too large: it takes 1000 MB and 999 MB of the disk may be used',
      });
      assert.deepEqual(await bench.folder.list(), [wanted]);
    }));

  test('that cannot be made costs nothing, and what is here already counts', () =>
    withRoom(async (bench) => {
      await bench.hold('kept');
      await assert.rejects(make(bench, 'large', 1001 * MB), { code: 'artefact_no_room' });
      assert.deepEqual(bench.removed, []);
      const { sha256 } = artefactOf('large', 0);
      await writeFile(bench.folder.partialPathOf(sha256), Buffer.alloc(2 * MB));
      await make(bench, 'large', 999 * MB, sha256);
      assert.deepEqual(bench.removed, []);
    }));
});

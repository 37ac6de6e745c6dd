import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { type Artefact, type Manifest, Problem, sha256Of } from '@bootswarm/images/format';
import type { VerifiedPiece } from '../release-fetch.ts';
import { forbiddenCode, giveBack, MBR_CODE_BYTES } from './boot-code.ts';
import { HoleWriter, writeDiskImage, writeHead } from './disk-image.ts';
import { partitionsIn } from './disk-tables.ts';
import { availableBytes, type FetchParts, fetchToPath, heldPieces, holdingPlace } from './fetch-root.ts';
import { hashBoot, headBytesOf, requireSame, requireWritten } from './read-back.ts';
import { one, planOf } from './testing/new-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-fetch-'));
after(() => rmSync(folder, { recursive: true }));
const PIECE = 16 * 1024;
const bytes = Buffer.from(Uint8Array.from({ length: PIECE * 5 + 7 }, (_, at) => (at * 7 + (at >> 8)) % 256));
const manifest = { name: 'x', version: '1', architecture: 'amd64' } as Manifest;
let files = 0;

function artefactOf(content: Uint8Array): Artefact {
  const count = Math.ceil(content.length / PIECE);
  const pieces = Array.from({ length: count }, (_, at) =>
    sha256Of(content.subarray(at * PIECE, (at + 1) * PIECE)),
  );
  return {
    role: 'root',
    name: 'root.squashfs',
    length: content.length,
    sha256: sha256Of(content),
    pieceBytes: PIECE,
    pieces,
  };
}

/** A source that gives up after so many pieces, each time it is asked. */
function* sourceOf(
  content: Uint8Array,
  first: number,
  pieces: number,
  error: Error,
): Generator<VerifiedPiece> {
  const last = Math.ceil(content.length / PIECE);
  // One buffer for all of them, as the real one may.
  for (let index = first; index < Math.min(last, first + pieces); index++)
    yield { index, start: index * PIECE, bytes: content.subarray(index * PIECE, (index + 1) * PIECE) };
  if (first + pieces < last) throw error;
}

interface Fetched {
  readonly asked: readonly number[];
  readonly progress: readonly number[];
  readonly parts: FetchParts;
}

function partsOf(
  content: Uint8Array,
  pieces: readonly number[],
  error = new Error('reset by peer'),
): Fetched {
  const asked: number[] = [];
  const progress: number[] = [];
  let clock = 0;
  return {
    asked,
    progress,
    parts: {
      pieces: async function* (_artefact, _signal, first) {
        asked.push(first);
        yield* sourceOf(content, first, pieces[asked.length - 1] ?? pieces.at(-1) ?? 0, error);
      },
      say: () => {},
      signal: new AbortController().signal,
      onBytes: (done) => progress.push(done),
      wait: async (ms) => {
        clock += ms;
      },
      now: () => clock,
    },
  };
}

async function fetched(parts: FetchParts, content: Uint8Array = bytes): Promise<Buffer> {
  files += 1;
  const path = join(folder, `f${files}`);
  await fetchToPath(artefactOf(content), path, parts);
  return readFileSync(path);
}

describe('fetching a root', () => {
  test('goes on after a break with the piece that is missing', async () => {
    const run = partsOf(bytes, [2, 0, 1, 9]);
    assert.deepEqual(await fetched(run.parts), bytes);
    assert.deepEqual(run.asked, [0, 2, 2, 3]);
    assert.deepEqual(run.progress, [0, 1, 2, 3, 4, 5].map((n) => n * PIECE).concat(bytes.length));
  });

  test('is given up after a quarter of an hour without a piece, and says why', async () => {
    const run = partsOf(bytes, [1, 0]);
    await assert.rejects(fetched(run.parts), {
      code: 'fetch_stalled',
      message: /byte 16384 of 81927 within 15 min: reset by peer/,
    });
    assert.ok(run.asked.length > 20 && run.asked.length < 200, `${run.asked.length} tries`);
  });

  test('takes a wrong piece for damage twice, and then for what the edge has', async () => {
    const wrong = new Problem({ code: 'piece_wrong', message: 'm', remedy: 'r' }, 502);
    const healed = partsOf(bytes, [2, 0, 9], wrong);
    assert.deepEqual(await fetched(healed.parts), bytes);
    const run = partsOf(bytes, [2, 0], wrong);
    await assert.rejects(fetched(run.parts), { code: 'piece_wrong' });
    assert.deepEqual(run.asked, [0, 2, 2]);
  });

  test('is not tried again where the disk fails, or the signal ends it', async () => {
    const run = partsOf(bytes, [9]);
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await assert.rejects(fetched({ ...partsOf(bytes, [1]).parts, signal: stop.signal }), /stopped/);
    await assert.rejects(fetchToPath(artefactOf(bytes), '/dev/full', run.parts), { code: 'ENOSPC' });
    assert.equal(run.asked.length, 1);
  });

  test('does not fetch again what is there, but for a few pieces in a row', async () => {
    files += 1;
    const path = join(folder, `f${files}`);
    const long = Buffer.concat([bytes.subarray(0, 5 * PIECE), bytes, bytes.subarray(0, 3 * PIECE), bytes]);
    const spoilt = Buffer.from(long);
    for (const index of [1, 3, 12]) spoilt[index * PIECE] = (spoilt[index * PIECE] ?? 0) ^ 1;
    writeFileSync(path, spoilt);
    const run = partsOf(long, [99]);
    await fetchToPath(artefactOf(long), path, run.parts);
    assert.deepEqual(readFileSync(path), long);
    assert.deepEqual(run.asked, [1, 12]);
    assert.deepEqual(
      run.progress,
      [0, 2, 3, 4, 13].map((n) => n * PIECE),
    );
  });

  const shared: readonly (readonly [
    name: string,
    given: boolean | undefined,
    infohash: boolean,
    http: number,
  ])[] = [
    ['of neighbours, where they give all of it', true, true, 0],
    ['by HTTP after all, where they had nothing to give', false, true, 1],
    ['by HTTP, where it has no swarm', true, false, 1],
    ['by HTTP, where there are no neighbours', undefined, true, 1],
  ];
  for (const [name, given, hasInfohash, http] of shared)
    test(`is ${name}`, async () => {
      files += 1;
      const path = join(folder, `f${files}`);
      const run = partsOf(bytes, [9]);
      const neighbours = {
        fetch: async (_: Artefact, to: string) => {
          writeFileSync(to, given ? bytes : 'half, or another, or more');
          return given ?? false;
        },
        end: async () => {},
      };
      const artefact = { ...artefactOf(bytes), ...(hasInfohash ? { infohash: 'ab'.repeat(20) } : {}) };
      await fetchToPath(artefact, path, { ...run.parts, ...(given === undefined ? {} : { neighbours }) });
      assert.deepEqual(readFileSync(path), bytes);
      assert.equal(run.asked.length, http);
      const held: Buffer[] = [];
      for await (const piece of heldPieces(artefact, path, 2)) held.push(Buffer.from(piece.bytes));
      assert.deepEqual(Buffer.concat(held), bytes.subarray(2 * PIECE));
    });

  test('holds in memory what fits beside the agent', () => {
    const available = availableBytes('MemTotal: 9 kB\nMemAvailable:    1048576 kB\n');
    assert.equal(available, 2 ** 30);
    assert.equal(holdingPlace(600 * 2 ** 20, available), 'memory');
    assert.equal(holdingPlace(800 * 2 ** 20, available), 'disk');
    assert.equal(holdingPlace(1, availableBytes('')), 'disk');
  });
});

describe('a disk image', () => {
  const MIB = 2 ** 20;
  const image = Buffer.concat([
    bytes,
    Buffer.alloc(2 * MIB),
    bytes,
    Buffer.alloc(MIB + 5),
    bytes.subarray(0, 100),
  ]);

  const readOptions = { onBytes: () => {}, signal: AbortSignal.timeout(20_000) };

  async function written(
    content: Uint8Array,
    options: { length?: number; dirty?: boolean; cut?: number } = {},
  ): Promise<Buffer> {
    files += 1;
    const path = join(folder, `disk${files}`);
    const length = options.length ?? 8 * MIB;
    const device = await open(path, 'w');
    await device.write(Buffer.alloc(length, options.dirty ? 0xee : 0), 0, length, 0);
    await device.close();
    const sent = options.cut === undefined ? content : content.subarray(0, options.cut);
    const { head, held, blocks } = await writeDiskImage(
      artefactOf(sent),
      manifest,
      { path, bytes: length },
      partsOf(sent, [3, 1, 999]).parts,
    );
    assert.ok(
      readFileSync(path)
        .subarray(0, MIB)
        .every((byte) => byte === (options.dirty ? 0xee : 0)),
      'its head comes last',
    );
    const last = await writeHead(path, head);
    assert.ok(
      readFileSync(path).subarray(0, MBR_CODE_BYTES).equals(forbiddenCode()),
      'no BIOS starts it yet',
    );
    await requireWritten(path, [last, ...blocks], readOptions);
    await giveBack(path, held);
    return readFileSync(path);
  }

  for (const [name, content] of [
    ['raw', image],
    ['zstd', zstdCompressSync(image)],
  ] as const)
    for (const dirty of [false, true])
      test(`${name} is written to a disk ${dirty ? 'that held something else, zeros and all' : 'that is empty'}`, async () => {
        const disk = await written(content, { dirty });
        assert.ok(disk.subarray(0, image.length).equals(image));
        assert.equal(disk[image.length], dirty ? 0xee : 0);
      });

  const esp = 2 * MIB;
  /** 4 MiB with one partition, which is an EFI system partition. */
  function imageWithEsp(table: 'gpt' | 'mbr'): Buffer {
    const made = Buffer.alloc(4 * MIB, 7);
    made.fill(0, 0, MIB);
    made.writeUInt16LE(0xaa55, 510);
    if (table === 'mbr') {
      made[446 + 4] = 0xef;
      made.writeUInt32LE(esp / 512, 446 + 8);
    } else {
      made[446 + 4] = 0xee;
      made.write('EFI PART', 512, 'latin1');
      made.writeBigUInt64LE(2n, 512 + 72);
      made.writeUInt32LE(128, 512 + 80);
      made.writeUInt32LE(128, 512 + 84);
      // The second of its entries; the first is of no type. UEFI 2.10, table 5.7.
      made.set(Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex'), 1024 + 128);
      made.writeBigUInt64LE(BigInt(esp / 512), 1024 + 128 + 32);
    }
    made.write('FAT32   ', esp + 82, 'latin1');
    return made;
  }

  for (const table of ['gpt', 'mbr'] as const) {
    const withEsp = imageWithEsp(table);

    test(`has nothing that UEFI could read until it is given back (${table})`, async () => {
      const path = join(folder, `esp-${table}`);
      const file = await open(path, 'w+');
      const writer = new HoleWriter(file, 4 * MIB);
      await writer.add(withEsp);
      await file.close();
      const { head, held } = writer.image;
      assert.ok(
        readFileSync(path)
          .subarray(0, MIB)
          .every((byte) => byte === 0),
      );
      await writeHead(path, head);
      const before = readFileSync(path);
      assert.ok(before.subarray(esp, esp + 512).every((byte) => byte === 0));
      assert.ok(before.subarray(esp + 512).equals(withEsp.subarray(esp + 512)));
      await giveBack(path, held);
      assert.ok(readFileSync(path).equals(withEsp));
    });

    test(`leads to nothing of one that was there before, whenever power goes (${table})`, async () => {
      const path = join(folder, `again-${table}`);
      const mark = Buffer.alloc(MIB, 'the table of a try');
      writeFileSync(path, Buffer.concat([mark, withEsp.subarray(MIB)]));
      await using file = await open(path, 'r+');
      const done: string[] = [];
      const writer = new HoleWriter(
        {
          read: file.read.bind(file) as typeof file.read,
          write: (async (bytes: Uint8Array, from: number, length: number, at: number) => {
            done.push(`${at}+${length}`);
            return file.write(bytes, from, length, at);
          }) as typeof file.write,
          sync: async () => {
            const found = readFileSync(path);
            assert.ok(
              found.subarray(esp, esp + 512).every((byte) => byte === 0),
              'the old FAT is gone',
            );
            done.push('sync');
          },
        },
        4 * MIB,
      );
      await writer.add(withEsp);
      assert.deepEqual(done.slice(0, 2), [`${esp}+512`, 'sync']);
      assert.ok(readFileSync(path).subarray(0, MIB).equals(mark), 'a second try knows the disk by it');
    });

    test(`has its EFI system partition told to the firmware (${table})`, () => {
      assert.deepEqual(partitionsIn(withEsp.subarray(0, MIB)), [
        { number: table === 'gpt' ? 2 : 1, startBytes: esp, isEsp: true },
      ]);
    });
  }

  test('is refused where a block of it reads as other bytes', async () => {
    const path = join(folder, 'worn');
    const file = await open(path, 'w+');
    const writer = new HoleWriter(file, 8 * MIB);
    await writer.add(image);
    await writer.flush();
    const { blocks } = writer.image;
    await requireWritten(path, blocks, readOptions);
    await file.write(Buffer.of(~(image.at(-1) ?? 0)), 0, 1, image.length - 1);
    await file.close();
    await assert.rejects(requireWritten(path, blocks, readOptions), {
      code: 'read_back_differs',
      message: /the block from byte 3145728 of/,
    });
  });

  test('does not write zeros where there are zeros', async () => {
    const path = join(folder, 'sparse');
    const file = await open(path, 'w+');
    await file.truncate(4 * MIB);
    const writer = new HoleWriter(file, 4 * MIB);
    await writer.add(Buffer.alloc(3 * MIB));
    await writer.add(Buffer.alloc(MIB, 1));
    await writer.flush();
    const { blocks } = await file.stat();
    await file.close();
    assert.ok(blocks * 512 <= MIB + 64 * 1024, `${blocks} blocks`);
  });

  test('that is too large, or broken, is refused by name', async () => {
    await assert.rejects(written(image, { length: 2 * MIB }), { code: 'disk_image_too_large' });
    await assert.rejects(written(zstdCompressSync(image), { length: 2 * MIB }), {
      code: 'disk_image_too_large',
    });
    const packed = zstdCompressSync(
      Buffer.concat(
        Array.from({ length: 64 }, () => Buffer.from(crypto.getRandomValues(new Uint8Array(4096)))),
      ),
    );
    const broken = Buffer.from(packed);
    broken.fill(0xff, 4, 5000);
    await assert.rejects(written(broken), { code: 'disk_image_broken' });
    await assert.rejects(written(packed, { cut: 100_000 }), { code: 'disk_image_broken' });
  });
});

test('what a machine boots from is compared byte by byte, and by what is missing', async () => {
  const { mkdirSync, writeFileSync } = await import('node:fs');
  const boot = join(folder, 'boot');
  mkdirSync(join(boot, 'grub'), { recursive: true });
  writeFileSync(join(boot, 'vmlinuz'), 'kernel');
  writeFileSync(join(boot, 'grub/grub.cfg'), 'menu');
  writeFileSync(join(folder, 'head'), 'x'.repeat(1000));
  const signal = new AbortController().signal;
  const hashes = (): ReturnType<typeof hashBoot> =>
    hashBoot({ '/boot': boot }, { paths: [join(folder, 'head')], headBytes: 500 }, signal);
  const before = await hashes();
  assert.deepEqual([...before.keys()].toSorted(), [
    '/boot/grub/grub.cfg',
    '/boot/vmlinuz',
    `the head of ${folder}/head`,
  ]);
  requireSame(before, await hashes());
  writeFileSync(join(boot, 'grub/grub.cfg'), 'Menu');
  assert.throws(() => requireSame(before, new Map()), { code: 'read_back_differs' });
  const now = await hashes();
  assert.throws(() => requireSame(before, now), { message: /^\/boot\/grub\/grub\.cfg was read back/ });
});

test('the head of a disk is what it boots from, and no file system', () => {
  const MIB = 2 ** 20;
  assert.equal(headBytesOf(planOf(one, 'bios')), 2 * MIB);
  assert.equal(headBytesOf(planOf(one, 'uefi')), MIB);
  assert.equal(headBytesOf(planOf({ ...one, table: 'mbr' }, 'bios')), MIB);
});

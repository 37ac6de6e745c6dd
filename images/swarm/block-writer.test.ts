import assert from 'node:assert/strict';
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { BlockWriter } from './block-writer.ts';

/** Writes no more than so many bytes at once, and nothing beyond a full disk. */
class StubbornFile implements Pick<FileHandle, 'write'> {
  readonly bytes = Buffer.alloc(8 * 1024 * 1024);
  readonly #most: number;
  readonly #room: number;

  constructor(most: number, room = Number.POSITIVE_INFINITY) {
    this.#most = most;
    this.#room = room;
  }

  write = (async (from: Buffer, start: number, length: number, at: number) => {
    const bytesWritten = Math.min(length, this.#most, this.#room - at);
    if (bytesWritten <= 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    from.copy(this.bytes, at, start, start + bytesWritten);
    return { bytesWritten, buffer: from };
  }) as FileHandle['write'];
}

const asFile = (file: StubbornFile): FileHandle => file as unknown as FileHandle;

test('parts of any size, whose memory is used again, stand in the file as they came', async () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 1_500_000 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(lengths, fc.integer({ min: 0, max: 1000 }), async (parts, from) => {
      const file = new StubbornFile(700_000);
      const writer = new BlockWriter(asFile(file), from);
      const memory = Buffer.alloc(1_500_000);
      const expected: Buffer[] = [];
      for (const [index, length] of parts.entries()) {
        const part = memory.subarray(0, length).fill(index + 1);
        expected.push(Buffer.from(part));
        await writer.add(part);
      }
      await writer.flush();
      const all = Buffer.concat(expected);
      assert.ok(file.bytes.subarray(from, from + all.length).equals(all));
    }),
    { numRuns: 40 },
  );
});

test('a disk that is full is told, and what was written before has no hole', async () => {
  const file = new StubbornFile(Number.POSITIVE_INFINITY, 2_500_000);
  const writer = new BlockWriter(asFile(file), 0);
  await assert.rejects(
    async () => {
      for (let n = 0; n < 100; n++) await writer.add(Buffer.alloc(65_536, 7));
    },
    { code: 'ENOSPC' },
  );
  await assert.rejects(writer.flush(), { code: 'ENOSPC' });
  assert.ok(file.bytes.subarray(0, 2_500_000).every((byte) => byte === 7));
  assert.ok(file.bytes.subarray(2_500_000).every((byte) => byte === 0));
});

test('a real file holds it all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-block-'));
  {
    await using handle = await open(join(folder, 'file'), 'w');
    const writer = new BlockWriter(handle, 0);
    for (let n = 0; n < 50; n++) await writer.add(Buffer.alloc(100_000, n));
    await writer.flush();
  }
  const found = await readFile(join(folder, 'file'));
  assert.equal(found.length, 5_000_000);
  assert.ok(found.every((byte, at) => byte === Math.floor(at / 100_000)));
  await rm(folder, { recursive: true });
});

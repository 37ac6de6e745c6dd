import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  forbidBoot,
  forbiddenCode,
  giveBack,
  MBR_CODE_BYTES,
  readBootCode,
  withoutStart,
  withStart,
  writeBootCode,
} from './boot-code.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-mbr-'));
after(() => rmSync(folder, { recursive: true }));

test('the code of each MBR goes, and the tables stay; code that is put there leaves them, too', async () => {
  const disks = ['a', 'b'].map((name) => join(folder, name));
  const before = disks.map((disk) => {
    const bytes = randomBytes(4096);
    writeFileSync(disk, bytes);
    return bytes;
  });
  await forbidBoot({ disks });
  for (const [index, disk] of disks.entries()) {
    const bytes = readFileSync(disk);
    const code = bytes.subarray(0, MBR_CODE_BYTES).toString('hex');
    assert.equal(code.replace(/(00)+$/, ''), 'cd18ebfe');
    assert.deepEqual(bytes.subarray(MBR_CODE_BYTES), before[index]?.subarray(MBR_CODE_BYTES));
    assert.deepEqual(await readBootCode(disk), forbiddenCode());
  }
  await writeBootCode(new Map(disks.map((disk, index) => [disk, before[index] ?? Buffer.alloc(0)])));
  assert.deepEqual(
    disks.map((disk) => readFileSync(disk)),
    before,
  );
});

test('what was held back is given back, and what somebody else put in its place stays', async () => {
  const disk = join(folder, 'held');
  writeFileSync(disk, Buffer.alloc(1024));
  const [a, b] = [Buffer.alloc(8, 1), Buffer.alloc(8, 2)];
  const instead = Buffer.alloc(8);
  writeFileSync(disk, Buffer.alloc(8, 9), { flag: 'r+' });
  await giveBack(disk, [
    { at: 0, bytes: a, instead },
    { at: 512, bytes: b, instead },
  ]);
  const found = readFileSync(disk);
  assert.deepEqual([found.subarray(0, 8), found.subarray(512, 520)], [Buffer.alloc(8, 9), b]);
});

test('what grub-install is given never starts GRUB, and what it fills in is kept', () => {
  // As Debian's boot.img begins: a jump over the fields, and what it jumps to.
  const image = Buffer.alloc(512, 0x90);
  image.set([0xeb, 0x63, 0x90]);
  image.set([0xfa, 0xeb, 0x05, 0xf6, 0xc2, 0x80, 0x74], 0x65);
  const given = withoutStart(image);
  const jumpsTo = 2 + (given[1] ?? 0);
  assert.deepEqual(given.subarray(jumpsTo, jumpsTo + 4), Buffer.of(0xcd, 0x18, 0xeb, 0xfe));
  assert.ok(jumpsTo >= 0x68, 'behind the fields that it fills in');

  // What grub-install fills in: where its next sector stands, and that the drive is no floppy.
  const installed = Buffer.from(given.subarray(0, MBR_CODE_BYTES));
  installed.writeBigUInt64LE(2048n, 0x5c);
  installed.set([0x90, 0x90], 0x66);
  const started = withStart(installed, image);
  const expected = Buffer.from(image.subarray(0, MBR_CODE_BYTES));
  expected.writeBigUInt64LE(2048n, 0x5c);
  expected.set([0x90, 0x90], 0x66);
  assert.deepEqual(started, expected);

  assert.throws(() => withoutStart(Buffer.alloc(512)), TypeError);
});

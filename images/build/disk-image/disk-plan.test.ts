import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { MediumRelease } from '../iso/grub-config.ts';
import { bootCode, placedCore } from './bios-boot.ts';
import { diskLayout, diskMenu, fstab, partitionTable, uuidOf } from './disk-plan.ts';

const RELEASE: MediumRelease = {
  name: 'minimal',
  version: '1.0',
  architecture: 'amd64',
  kernelArguments: ['boot=live', 'console=ttyS0'],
};
const MIB = 1024 ** 2;

suite('the layout of a disk', () => {
  for (const treeBytes of [0, 1, 300 * MIB, 5_000_000_001])
    test(`of ${treeBytes} bytes is whole MiB, in order, without overlap`, () => {
      const { bios, efi, root, bytes } = diskLayout(treeBytes);
      const parts = [bios, efi, root];
      for (const { start, bytes: length } of parts) assert.ok(start % MIB === 0 && length % MIB === 0);
      for (const [index, part] of parts.entries())
        assert.equal(part.start + part.bytes, parts[index + 1]?.start ?? bytes - MIB);
      assert.ok(root.bytes > treeBytes * 1.1);
    });

  test('is a table that sfdisk reads, with the same identifiers for the same release', () => {
    const text = partitionTable(diskLayout(0), RELEASE);
    assert.match(
      text,
      /^start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, name=bios, uuid=/m,
    );
    assert.equal(text, partitionTable(diskLayout(0), { ...RELEASE, kernelArguments: [] }));
    assert.notEqual(uuidOf(RELEASE, 'efi'), uuidOf({ ...RELEASE, version: '1.1' }, 'efi'));
    assert.match(uuidOf(RELEASE, 'efi'), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

test('the system starts from its own file system, not as a live one', () => {
  const [entry] = diskMenu(RELEASE);
  const root = `UUID=${uuidOf(RELEASE, 'filesystem')}`;
  assert.deepEqual(entry?.arguments, [`root=${root}`, 'ro', 'console=ttyS0']);
  assert.ok(fstab(RELEASE).startsWith(`${root} / ext4 `));
});

suite('boot code', () => {
  const image = Buffer.alloc(512, 0xee);

  test('says where the core is, and leaves the partition table alone', () => {
    const code = bootCode(image, 2048);
    assert.equal(code.length, 440);
    assert.equal(code.readBigUInt64LE(0x5c), 2048n);
    assert.equal(code.readUInt16LE(0x66), 0x9090);
    assert.equal(code[0x5b], 0xee);
    assert.equal(code[0x64], 0xee);
  });

  test('of another size is refused', () => assert.throws(() => bootCode(Buffer.alloc(511), 1), RangeError));

  test('the core follows itself: whole sectors, the first of which names the others', () => {
    const core = placedCore(Buffer.alloc(1300, 0xee), 2048);
    assert.equal(core.length, 1536);
    assert.equal(core.readBigUInt64LE(500), 2049n);
    assert.equal(core.readUInt16LE(508), 2);
    assert.equal(core[510], 0xee);
  });
});

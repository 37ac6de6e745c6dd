import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nameBootLoader } from './boot-loader.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-esp-'));
after(() => rmSync(folder, { recursive: true }));

test('firmware finds the boot loader of each EFI system partition only once it has its name', async () => {
  const partitions = ['a', 'b'].map((name) => join(folder, name));
  const place = (partition: string): string => join(partition, 'EFI/BOOT');
  for (const partition of partitions) {
    mkdirSync(place(partition), { recursive: true });
    writeFileSync(join(place(partition), 'BOOTX64.NEW'), 'shim');
    writeFileSync(join(place(partition), 'grubx64.efi'), 'GRUB');
  }
  await nameBootLoader(partitions);
  for (const partition of partitions) {
    assert.deepEqual(readdirSync(place(partition)).toSorted(), ['BOOTX64.EFI', 'grubx64.efi']);
    assert.equal(readFileSync(join(place(partition), 'BOOTX64.EFI'), 'utf8'), 'shim');
  }
});

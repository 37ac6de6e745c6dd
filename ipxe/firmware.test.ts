import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRMWARE, FIRMWARE_NAME } from './index.ts';

test('firmware is asked for by the name under which it is listed', () => {
  for (const [name, firmware] of Object.entries(FIRMWARE)) {
    assert.equal(firmware.name, name);
    assert.match(name, FIRMWARE_NAME);
    assert.ok(firmware.path.startsWith('/'));
  }
});

test('an edge needs the two iPXE binaries and no more', () => {
  const required = Object.values(FIRMWARE).filter(({ isRequired }) => isRequired);
  assert.deepEqual(
    required.map(({ name }) => name),
    ['undionly.kpxe', 'snponly.efi'],
  );
});

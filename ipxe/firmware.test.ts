import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIRMWARE, platformOf } from './index.ts';

describe('the platform of a client', () => {
  const cases: readonly (readonly [architectures: readonly number[], name: string, firmware?: string])[] = [
    [[], 'BIOS', 'undionly.kpxe'],
    [[0], 'BIOS', 'undionly.kpxe'],
    [[7], 'UEFI x64', 'snponly.efi'],
    [[9], 'UEFI x64', 'snponly.efi'],
    [[16], 'UEFI HTTP x64', 'snponly.efi'],
    [[6], 'UEFI IA32'],
    [[11], 'UEFI ARM64'],
    [[19], 'UEFI HTTP ARM64'],
    [[99, 7], 'UEFI x64', 'snponly.efi'],
    [[41], 'architecture 41'],
  ];
  for (const [architectures, name, firmware] of cases)
    test(`of ${JSON.stringify(architectures)} is ${name}`, () =>
      assert.deepEqual(platformOf(architectures), { name, firmware }));
});

test('firmware is asked for by the name under which it is listed', () => {
  for (const [name, firmware] of Object.entries(FIRMWARE)) {
    assert.equal(firmware.name, name);
    assert.ok(firmware.path.endsWith(`/${name}`));
  }
});

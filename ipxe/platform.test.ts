import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type PlatformKey, platformOf } from './index.ts';

const PI = 'dc:a6:32:00:00:01';

describe('the platform of a client', () => {
  const cases: readonly (readonly [
    architectures: readonly number[],
    name: string,
    key: PlatformKey | undefined,
    mac?: string,
  ])[] = [
    [[], 'BIOS', 'bios'],
    [[0], 'BIOS', 'bios'],
    [[7], 'UEFI x64', 'uefi-x64'],
    [[9], 'UEFI x64', 'uefi-x64'],
    [[16], 'UEFI HTTP x64', 'uefi-x64'],
    [[20], 'BIOS HTTP', 'bios'],
    [[6], 'UEFI IA32', 'uefi-ia32'],
    [[11], 'UEFI ARM64', 'uefi-arm64'],
    [[19], 'UEFI HTTP ARM64', 'uefi-arm64'],
    [[17], 'UEFI HTTP x64', 'uefi-x64'],
    [[25], 'UEFI RISC-V 32', 'uefi-riscv32'],
    [[26], 'UEFI HTTP RISC-V 32', 'uefi-riscv32'],
    [[27], 'UEFI RISC-V 64', 'uefi-riscv64'],
    [[29], 'UEFI RISC-V 128', 'uefi-riscv128'],
    [[30], 'UEFI HTTP RISC-V 128', 'uefi-riscv128'],
    [[37], 'UEFI LoongArch32', 'uefi-loongarch32'],
    [[39], 'UEFI LoongArch64', 'uefi-loongarch64'],
    [[99, 7], 'UEFI x64', 'uefi-x64'],
    [[99], 'architecture 99', undefined],
    [[41], 'Raspberry Pi', 'raspberry-pi'],
    [[0], 'Raspberry Pi', 'raspberry-pi', PI],
    [[11], 'UEFI ARM64', 'uefi-arm64', PI],
  ];
  for (const [architectures, name, key, mac] of cases)
    test(`of ${JSON.stringify(architectures)}${mac ? ' on a Pi' : ''} is ${name}`, () =>
      assert.deepEqual(platformOf(architectures, mac), { key, name }));
});

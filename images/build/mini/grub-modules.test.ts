import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRUB_MODULES, grubModules } from './grub-modules.ts';

const moddepWith = (...lines: readonly string[]): string =>
  [...GRUB_MODULES.map((name) => `${name}:`), ...lines, ''].join('\n');

test('modules come with what they need, and what that needs, once', () => {
  const moddep = moddepWith('xfs: fshelp', 'ext2: fshelp', 'fshelp: deep', 'deep:', 'minix: fshelp');
  const taken = grubModules('arm64-efi', moddep);
  assert.deepEqual(taken, [...GRUB_MODULES, 'deep', 'fshelp'].toSorted());
});

test('a module that GRUB has not is an error by its name', () => {
  assert.throws(() => grubModules('i386-pc', moddepWith()), /GRUB for i386-pc has no module/);
});

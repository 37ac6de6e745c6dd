import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MediumRelease, menuConfig, searchConfig } from './grub-config.ts';
import { ISO_PATHS, isoMenu, volumeLabel, xorrisoArguments } from './iso-plan.ts';

const RELEASE: MediumRelease = {
  name: 'minimal',
  version: '1.0+rc1',
  architecture: 'amd64',
  kernelArguments: ['boot=live', 'console=ttyS0,115200n8'],
};

test('the volume is named after the release, in 32 letters that every system can show', () => {
  assert.equal(volumeLabel(RELEASE), 'MINIMAL_1_0_RC1');
  assert.equal(volumeLabel({ ...RELEASE, name: 'n'.repeat(60) }).length, 32);
});

test('GRUB finds the medium by a file that only this release has', () => {
  assert.match(searchConfig(RELEASE), /--file \/\.disk\/bootswarm-minimal-1\.0\+rc1-amd64$/m);
});

test('the menu starts the release from the medium, or from memory', () => {
  const text = menuConfig(isoMenu(RELEASE));
  assert.match(
    text,
    /^menuentry 'minimal 1\.0\+rc1' \{\n {2}linux \/live\/vmlinuz 'boot=live' 'console=ttyS0,115200n8'\n/m,
  );
  assert.match(text, /'toram'\n {2}initrd \/live\/initrd\.img\n\}\n$/);
});

test('no kernel argument is anything but a word to GRUB', () => {
  const kernelArguments = ["a='b'", '$root', 'x;reboot', '{}'];
  const [entry] = isoMenu({ ...RELEASE, kernelArguments });
  const text = menuConfig(entry === undefined ? [] : [entry]);
  assert.match(text, /linux \/live\/vmlinuz 'a='\\''b'\\''' '\$root' 'x;reboot' '\{\}'$/m);
});

test('xorriso is told of both ways to boot, and gets its files last', () => {
  const list = xorrisoArguments({
    release: RELEASE,
    files: { [ISO_PATHS.kernel]: '/odd=name/vmlinuz' },
    efiPartition: '/w/efi.img',
    iso: '/w/medium.iso',
    epoch: 1_700_000_000,
  });
  assert.ok(list.indexOf(ISO_PATHS.eltorito) < list.indexOf('-eltorito-alt-boot'));
  assert.deepEqual(list.slice(list.indexOf('-append_partition')).slice(0, 4), [
    '-append_partition',
    '2',
    '0xef',
    '/w/efi.img',
  ]);
  assert.equal(list.at(-1), '/live/vmlinuz=/odd\\=name/vmlinuz');
  assert.ok(list.includes('=1700000000'));
});

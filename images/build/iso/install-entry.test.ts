import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InstallMedium, type Manifest } from '@bootswarm/images/format';
import { menuConfig } from './grub-config.ts';
import { installEntry, mediumDocument, profileFor } from './install-entry.ts';
import { isoMenu } from './iso-plan.ts';

const HASH = 'a'.repeat(64);
const MANIFEST: Manifest = {
  format: 1,
  name: 'minimal',
  version: '1.0',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: ['boot=live'],
  artefacts: (['kernel', 'initramfs', 'root'] as const).map((role) => ({
    role,
    name: `${role}.bin`,
    length: 1,
    sha256: HASH,
    pieceBytes: 2 ** 20,
    pieces: [HASH],
  })),
};
const PROFILE = { name: 'p', kind: 'image' };

test('a profile is for the release on the medium, said or unsaid', () => {
  const own = 'minimal/1.0/amd64';
  assert.equal(profileFor(MANIFEST, PROFILE)['release'], own);
  assert.equal(profileFor(MANIFEST, { ...PROFILE, release: own })['release'], own);
  for (const release of ['minimal/1.1/amd64', 'minimal/@stable/amd64'])
    assert.throws(() => profileFor(MANIFEST, { ...PROFILE, release }), {
      code: 'medium_release_another',
      field: 'release',
    });
});

test('the medium tells the mini image where its artefacts lie', () => {
  const medium = InstallMedium.parse(JSON.parse(mediumDocument(MANIFEST, PROFILE)));
  assert.deepEqual(medium.files, {
    'kernel.bin': '/live/vmlinuz',
    'initramfs.bin': '/live/initrd.img',
    'root.bin': '/live/filesystem.squashfs',
  });
  assert.deepEqual(medium.manifest, MANIFEST);
});

test('the menu has an entry more, and starts the live system by itself unless it is told otherwise', () => {
  const entry = installEntry(MANIFEST, ['console=ttyS0'], '0123456789abcdef', 30);
  const entries = [...isoMenu(MANIFEST), entry];
  assert.match(menuConfig(entries), /^set default=0$/m);
  assert.match(menuConfig(entries, 2), /^set default=2$/m);
  assert.match(
    menuConfig(entries),
    /menuentry 'Install minimal 1\.0 to disk' \{\n {2}linux \/bootswarm\/vmlinuz 'console=ttyS0' 'bootswarm\.medium=0123456789abcdef' 'bootswarm\.wait=30'\n {2}initrd \/bootswarm\/initrd\.img\n\}\n$/,
  );
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findInTree, isMissed, plainName, type TreeEntry, type Viewer } from './boot-tree.ts';

const MAC = '52:54:00:aa:00:01';
const UUID = '11111111-2222-3333-4444-555555555555';
const SHA256 = 'ab'.repeat(32);
const ID = SHA256.slice(0, 16);
const FIRMWARE = new Set(['undionly.kpxe', 'shimx64.efi']);
const known: Viewer = { address: '10.66.1.171', machine: { mac: MAC, uuid: UUID }, isLeased: true };
const withoutUuid: Viewer = { address: '10.66.1.171', machine: { mac: MAC }, isLeased: true };
const unknown: Viewer = { address: '10.66.1.171', machine: undefined, isLeased: true };
/** Another server gave it the address. */
const seen: Viewer = { ...known, isLeased: false };

const config = (style: 'ipxe' | 'pxelinux' | 'grub', { machine }: Viewer): TreeEntry => ({
  kind: 'config',
  style,
  machine,
});

describe('a name of the boot tree', () => {
  const cases: readonly (readonly [what: string, name: string, viewer: Viewer, TreeEntry | undefined])[] = [
    ['firmware', 'undionly.kpxe', known, { kind: 'firmware', name: 'undionly.kpxe' }],
    ['firmware, after slashes', '//undionly.kpxe', known, { kind: 'firmware', name: 'undionly.kpxe' }],
    ['firmware, Windows-like', '\\shimx64.efi', known, { kind: 'firmware', name: 'shimx64.efi' }],
    ['firmware that is not here', 'grubx64.efi', known, undefined],
    ['an artefact', `/artefacts/${SHA256}/vmlinuz`, known, { kind: 'artefact', id: SHA256, name: 'vmlinuz' }],
    ['one by its id', `artefacts/${ID}/vmlinuz`, known, { kind: 'artefact', id: ID, name: 'vmlinuz' }],
    ['one by less', `artefacts/${ID.slice(1)}/vmlinuz`, known, undefined],
    ['an artefact above itself', `artefacts/${SHA256}/..`, known, undefined],
    ['what iPXE asks for first', 'autoexec.ipxe', known, config('ipxe', known)],
    ['what iPXE asks for then', '/autoexec.ipxe', unknown, config('ipxe', unknown)],
    ['its UUID', `pxelinux.cfg/${UUID}`, known, config('pxelinux', known)],
    ['its UUID, which we do not know', `pxelinux.cfg/${UUID}`, withoutUuid, undefined],
    ['another UUID', `pxelinux.cfg/${UUID.replace('1', '2')}`, known, undefined],
    ['its MAC', 'pxelinux.cfg/01-52-54-00-aa-00-01', withoutUuid, config('pxelinux', withoutUuid)],
    ['its MAC in capitals', 'pxelinux.cfg/01-52-54-00-AA-00-01', known, config('pxelinux', known)],
    ['another MAC', 'pxelinux.cfg/01-52-54-00-aa-00-02', known, undefined],
    ['a MAC of Token Ring', 'pxelinux.cfg/06-52-54-00-aa-00-01', known, undefined],
    ['its address', 'pxelinux.cfg/0A4201AB', known, config('pxelinux', known)],
    ['the start of its address', 'pxelinux.cfg/0A42', known, config('pxelinux', known)],
    ['another address', 'pxelinux.cfg/0A4201AC', known, undefined],
    ['the start of another', 'pxelinux.cfg/0B', known, undefined],
    ['the default', 'pxelinux.cfg/default', known, config('pxelinux', known)],
    [
      'the default, of who has no lease from here',
      'pxelinux.cfg/default',
      unknown,
      config('pxelinux', unknown),
    ],
    [
      'a MAC, of who has no lease from here',
      'pxelinux.cfg/01-52-54-00-aa-00-01',
      unknown,
      { kind: 'config', style: 'pxelinux', machine: { mac: MAC, uuid: undefined } },
    ],
    ['its UUID, of who was seen', `pxelinux.cfg/${UUID}`, seen, config('pxelinux', seen)],
    ['its MAC, of who was seen', 'pxelinux.cfg/01-52-54-00-aa-00-01', seen, config('pxelinux', seen)],
    [
      'a MAC that outweighs who was seen',
      'pxelinux.cfg/01-52-54-00-aa-00-02',
      seen,
      { kind: 'config', style: 'pxelinux', machine: { mac: '52:54:00:aa:00:02', uuid: undefined } },
    ],
    ['what GRUB asks for, of who was seen', 'grub/grub.cfg', seen, config('grub', seen)],
    ['what iPXE asks for, which tells who it is', 'autoexec.ipxe', seen, config('ipxe', unknown)],
    ['what GRUB asks for', 'grub/grub.cfg', known, config('grub', known)],
    ['what GRUB asks for, by MAC', '/grub/grub.cfg-01-52-54-00-aa-00-01', known, config('grub', known)],
    ['what GRUB asks for, by address', 'grub.cfg-0A4201AB', known, config('grub', known)],
    ['what another GRUB asks for', 'grub.cfg-01-52-54-00-aa-00-02', known, undefined],
    ["GRUB's lists, which it does without", 'grub/x86_64-efi/command.lst', known, undefined],
    ["shim's lists, which it does without", 'revocations_sbat.efi', known, undefined],
  ];
  for (const [what, name, viewer, entry] of cases)
    test(`stands for ${what}`, () => assert.deepEqual(findInTree(plainName(name), viewer, FIRMWARE), entry));
});

describe('the names that PXELINUX asks for, in its order', () => {
  const ORDER = [
    UUID,
    '01-52-54-00-aa-00-01',
    ...Array.from({ length: 8 }, (_, n) => '0A4201AB'.slice(0, 8 - n)),
    'default',
  ];
  const firstOf = (viewer: Viewer): string | undefined =>
    ORDER.find((name) => findInTree(`pxelinux.cfg/${name}`, viewer, FIRMWARE));

  test('end at the UUID where we know it', () => assert.equal(firstOf(known), UUID));
  test('end at the MAC where we do not', () => assert.equal(firstOf(withoutUuid), '01-52-54-00-aa-00-01'));
});

test('a file that is not there is news of a boot, unless boot loaders do without it', () => {
  for (const name of ['pxelinux.cfg/C0', 'grub/x86_64-efi/fs.lst', 'grub.cfg-0A', 'revocations_sku.efi'])
    assert.equal(isMissed(name), false, name);
  for (const name of ['grubx64.efi', 'memtest.efi', 'vmlinuz']) assert.equal(isMissed(name), true, name);
});

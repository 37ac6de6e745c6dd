import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IpxeFeature } from '@bootswarm/edge-node/dhcp4';
import { type BootFile, type BootMeans, chooseBootFile } from './boot-file.ts';
import type { Client } from './client.ts';
import { HTTP_URL, MAC } from './testing/world.ts';

const SCRIPT = 'script http://10.99.0.1:8480/boot.ipxe?mac=${mac:hexhyp}&uuid=${uuid}&platform=${platform}';

/** This edge has the usual files. */
const MEANS: BootMeans = {
  httpUrl: HTTP_URL,
  hasFile: (name) => name === 'undionly.kpxe' || name === 'snponly.efi',
  firmware: {},
};

function clientWith(facts: Partial<Client>): Client {
  return {
    mac: MAC,
    uuid: undefined,
    clientId: undefined,
    architectures: [],
    userClasses: [],
    vendorClass: '',
    isNetworkBoot: /^(PXE|HTTP)Client/.test(facts.vendorClass ?? ''),
    ipxe: undefined,
    relay: undefined,
    circuitId: undefined,
    remoteId: undefined,
    ...facts,
  };
}

const ipxeWith = (...features: readonly IpxeFeature[]) => ({ features: new Set(features), version: '1.0.0' });
const pxe = (architecture: number, facts: Partial<Client> = {}) =>
  clientWith({ vendorClass: 'PXEClient:Arch', architectures: [architecture], ...facts });

function textOf(choice: BootFile | undefined): string {
  if (choice === undefined) return 'nothing';
  switch (choice.kind) {
    case 'none':
      return `none: ${choice.reason}`;
    case 'tftp':
      return `tftp ${choice.file}`;
    case 'raspberry-pi':
      return 'the name of its boot service';
    default:
      return `${choice.kind} ${choice.url}`;
  }
}

describe('what a machine loads next', () => {
  const http = `http ${HTTP_URL}/firmware/snponly.efi`;
  const cases: readonly (readonly [name: string, client: Client, choice: string])[] = [
    ['our own build, whatever else it says', clientWith({ userClasses: ['bootswarm'] }), SCRIPT],
    [
      'our own build under UEFI HTTP',
      clientWith({ userClasses: ['bootswarm'], vendorClass: 'HTTPClient' }),
      SCRIPT,
    ],
    ['iPXE with HTTP', pxe(0, { userClasses: ['iPXE'], ipxe: ipxeWith('http') }), SCRIPT],
    ['iPXE with HTTP on UEFI', pxe(7, { userClasses: ['iPXE'], ipxe: ipxeWith('http', 'efi') }), SCRIPT],
    ['gPXE with HTTP', pxe(0, { userClasses: ['gPXE'], ipxe: ipxeWith('http') }), SCRIPT],
    [
      'iPXE without HTTP on BIOS',
      pxe(0, { userClasses: ['iPXE'], ipxe: ipxeWith('tftp') }),
      'tftp undionly.kpxe',
    ],
    [
      'iPXE without HTTP on UEFI',
      pxe(7, { userClasses: ['iPXE'], ipxe: ipxeWith('efi') }),
      'tftp snponly.efi',
    ],
    ['gPXE without HTTP', pxe(0, { userClasses: ['gPXE'], ipxe: ipxeWith() }), 'tftp undionly.kpxe'],
    ['iPXE that says nothing of its features', pxe(0, { userClasses: ['iPXE'] }), 'tftp undionly.kpxe'],
    ['PXE that names no architecture', clientWith({ vendorClass: 'PXEClient' }), 'tftp undionly.kpxe'],
    ['an architecture list with one that we know', pxe(99, { architectures: [99, 7] }), 'tftp snponly.efi'],
    ['UEFI HTTP boot x64', clientWith({ vendorClass: 'HTTPClient:Arch:00016', architectures: [16] }), http],
    [
      'UEFI HTTP boot ARM64',
      clientWith({ vendorClass: 'HTTPClient:Arch:00019', architectures: [19] }),
      'none: no boot file for UEFI HTTP ARM64',
    ],
    ['an installed system', clientWith({ vendorClass: 'udhcp 1.35.0' }), 'nothing'],
    ['a client that says nothing', clientWith({}), 'nothing'],
    ['an installed system that calls itself iPXE', clientWith({ userClasses: ['iPXE'] }), 'nothing'],
  ];
  for (const [name, client, choice] of cases)
    test(name, () => assert.equal(textOf(chooseBootFile(client, MEANS)), choice));

  const architectures: readonly (readonly [number, string])[] = [
    [0, 'tftp undionly.kpxe'],
    [6, 'none: no boot file for UEFI IA32'],
    [7, 'tftp snponly.efi'],
    [9, 'tftp snponly.efi'],
    [10, 'none: no boot file for UEFI ARM32'],
    [11, 'none: no boot file for UEFI ARM64'],
    [27, 'none: no boot file for UEFI RISC-V 64'],
    [99, 'none: no boot file for architecture 99'],
    [0xffff, 'none: no boot file for architecture 65535'],
  ];
  for (const [architecture, choice] of architectures)
    test(`PXE of architecture ${architecture}`, () =>
      assert.equal(textOf(chooseBootFile(pxe(architecture), MEANS)), choice));
});

test('what a client says of itself reaches no journal', () => {
  const hostile = '\u001b]0;owned\u0007';
  for (const vendorClass of [`PXEClient${hostile}`, `HTTPClient${hostile}`]) {
    const client = clientWith({ vendorClass, userClasses: [hostile] });
    assert.doesNotMatch(chooseBootFile(client, MEANS)?.reason ?? hostile, /owned/);
  }
});

test('nobody is sent in a circle: what we give away comes back and takes the script', () => {
  const vendorClasses = ['PXEClient:Arch', 'HTTPClient:Arch'];
  const userClasses = [[], ['iPXE'], ['gPXE'], ['bootswarm'], ['other']];
  const features = [undefined, ipxeWith(), ipxeWith('http')];
  for (const vendorClass of vendorClasses)
    for (const userClass of userClasses)
      for (const ipxe of features)
        for (const architecture of [0, 6, 7, 9, 11, 16, 19, 27]) {
          const facts = { userClasses: userClass, ipxe, architectures: [architecture] };
          const first = chooseBootFile(clientWith({ vendorClass, ...facts }), MEANS);
          if (first?.kind !== 'tftp' && first?.kind !== 'http') continue;
          // Debian's builds call themselves iPXE under PXEClient, and have HTTP (captures chain, uefi).
          const chained = { vendorClass: 'PXEClient:Arch', userClasses: ['iPXE'], ipxe: ipxeWith('http') };
          const next = chooseBootFile(clientWith({ ...facts, ...chained }), MEANS);
          assert.equal(next?.kind, 'script');
        }
});

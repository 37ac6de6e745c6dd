import type { Sighting } from '@bootswarm/controller/contract';

/** Who asks, as far as its address tells. */
export interface Viewer {
  readonly address: string;
  /** Who has the address, as far as that is known. */
  readonly machine: Sighting | undefined;
  /** Whether this edge leases it. Where another server does, the address may have gone to another machine unheard. */
  readonly isLeased: boolean;
}

/** What a name of the boot tree stands for. Whatever it does not stand for, there is none of: no disk is looked at. */
export type TreeEntry =
  | { readonly kind: 'firmware'; readonly name: string }
  | { readonly kind: 'artefact'; readonly id: string; readonly name: string }
  /** Rendered for the machine, or, where nobody knows which it is, for its segment. */
  | {
      readonly kind: 'config';
      readonly style: 'ipxe' | 'pxelinux' | 'grub';
      readonly machine: Sighting | undefined;
    };

const ARTEFACT = /^artefacts\/([0-9a-f]{16}|[0-9a-f]{64})\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})$/;
/** GRUB looks beside its own configuration; Debian's installer tree has another folder above. */
const GRUB = /^(?:(?:boot\/)?grub\/)?grub\.cfg(?:-(.+))?$/;
const PXELINUX = /^pxelinux\.cfg\/(.+)$/;
const ETHERNET_MAC = /^01((?:-[0-9a-f]{2}){6})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What PXELINUX, GRUB and shim look for and do without. */
const LOOKED_FOR =
  /^(?:pxelinux\.cfg\/|(?:boot\/)?grub(?:\/|\.cfg)|revocations|shim_certificate|autoexec\.ipxe$)/;
const HEX_ADDRESS = /^[0-9A-F]{1,8}$/;

/**
 * Windows-like clients write backslashes; some ROMs begin with a slash, some with two. Nothing else is made of a
 * name: `..` and encodings stand for no file.
 */
export function plainName(asked: string): string {
  return asked.replaceAll('\\', '/').replace(/^\/+/, '');
}

/**
 * What `name` stands for to this viewer.
 *
 * PXELINUX asks for its UUID, `01-` and MAC, the address in hexadecimal from 8 digits to 1, then `default`, and takes
 * the first that there is; GRUB likewise. Every name that is the viewer's own is answered, so it takes the most
 * specific that we know; the name of another machine is not answered. Of a viewer without a lease from here, a
 * name that tells which machine it is outweighs what was seen of the address: what is rendered is public.
 * @param name without slashes before it; see `plainName`.
 * @param firmware names of the boot files at hand.
 */
export function findInTree(
  name: string,
  viewer: Viewer,
  firmware: { has(name: string): boolean },
): TreeEntry | undefined {
  if (firmware.has(name)) return { kind: 'firmware', name };
  const [, id = '', artefact = ''] = ARTEFACT.exec(name) ?? [];
  if (id !== '') return { kind: 'artefact', id, name: artefact };
  // iPXE's own script needs no name in it: it tells MAC and UUID where it goes on.
  if (name === 'autoexec.ipxe')
    return { kind: 'config', style: 'ipxe', machine: viewer.isLeased ? viewer.machine : undefined };
  const [, pxelinux] = PXELINUX.exec(name) ?? [];
  if (pxelinux !== undefined) return configOf('pxelinux', pxelinux, viewer);
  const grub = GRUB.exec(name);
  if (grub) return configOf('grub', grub[1] ?? 'default', viewer);
  return undefined;
}

/** Whether it says something about a boot that there is no such file. */
export function isMissed(name: string): boolean {
  return !LOOKED_FOR.test(name);
}

function configOf(style: 'pxelinux' | 'grub', who: string, viewer: Viewer): TreeEntry | undefined {
  const { address, machine, isLeased } = viewer;
  const isOwnAddress = HEX_ADDRESS.test(who) && hexOf(address).startsWith(who);
  if (who === 'default' || isOwnAddress) return { kind: 'config', style, machine };
  const named = namedBy(who.toLowerCase());
  if (!named) return undefined;
  if (machine && isNameOf(machine, named)) return { kind: 'config', style, machine };
  if (machine && isLeased) return undefined;
  return { kind: 'config', style, machine: { mac: named.mac ?? '', uuid: named.uuid } };
}

function isNameOf(machine: Sighting, named: Partial<Sighting>): boolean {
  return named.mac === undefined ? named.uuid === machine.uuid : named.mac === machine.mac;
}

function namedBy(who: string): Partial<Sighting> | undefined {
  if (UUID.test(who)) return { uuid: who };
  const [, mac] = ETHERNET_MAC.exec(who) ?? [];
  return mac === undefined ? undefined : { mac: mac.slice(1).replaceAll('-', ':') };
}

function hexOf(address: string): string {
  return address
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

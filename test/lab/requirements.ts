import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Purpose = 'network' | 'dhcrelay' | 'dnsmasq' | 'capture' | 'impair' | 'machines';

/** Something the host must have, and what to do when it has not. */
export interface Requirement {
  readonly purpose: Purpose;
  readonly need: string;
  readonly remedy: string;
  readonly met: boolean;
}

export const OVMF_FOLDER = '/usr/share/OVMF';

/** Everything a lab may need of its host, checked now. */
export function requirements(): readonly Requirement[] {
  return [
    {
      purpose: 'network',
      need: 'root',
      remedy: 'run as root: namespaces, bridges and TAP devices need it',
      met: process.getuid?.() === 0,
    },
    program('network', 'ip', 'iproute2'),
    program('network', 'sysctl', 'procps'),
    program('dhcrelay', 'dhcrelay', 'isc-dhcp-relay'),
    program('dnsmasq', 'dnsmasq', 'dnsmasq-base'),
    program('capture', 'tcpdump', 'tcpdump'),
    program('impair', 'nft', 'nftables'),
    program('machines', 'qemu-system-x86_64', 'qemu-system-x86'),
    file('machines', join(OVMF_FOLDER, 'OVMF_CODE_4M.fd'), 'ovmf'),
    file('machines', '/usr/lib/ipxe/qemu/pxe-virtio.rom', 'ipxe-qemu'),
    {
      purpose: 'machines',
      need: '/dev/net/tun',
      remedy: 'modprobe tun, or pass the device to the container',
      met: accessible('/dev/net/tun', constants.R_OK | constants.W_OK),
    },
  ];
}

/** Throws with the remedies when the host lacks something that `purpose` needs. */
export function requireFor(purpose: Purpose): void {
  const missing = requirements().filter((requirement) => requirement.purpose === purpose && !requirement.met);
  if (missing.length === 0) return;
  const remedies = missing.map(({ need, remedy }) => `  ${need} is missing: ${remedy}`);
  throw new Error(`This host cannot lay the lab's ${purpose}:\n${remedies.join('\n')}`);
}

function program(purpose: Purpose, name: string, debianPackage: string): Requirement {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const met = folders.some((folder) => accessible(join(folder, name), constants.X_OK));
  return { purpose, need: name, remedy: `apt-get install ${debianPackage}, and have it in PATH`, met };
}

function file(purpose: Purpose, path: string, debianPackage: string): Requirement {
  const met = accessible(path, constants.R_OK);
  return { purpose, need: path, remedy: `apt-get install ${debianPackage}`, met };
}

function accessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

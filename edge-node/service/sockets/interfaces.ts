import { readdirSync } from 'node:fs';
import { problem } from '../problems.ts';
import { AF_INET, close, ioctl, SOCK_DGRAM, socket } from './libc.ts';

/** <linux/sockios.h> */
const SIOCGIFADDR = 0x8915;
/** struct ifreq: a name of 16 bytes, then here a struct sockaddr_in, whose address is 4 bytes in. */
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
const ADDRESS_AT = NAME_BYTES + 4;

/** An interface on which this edge serves. */
export interface Listener {
  readonly interfaceName: string;
  /** Its first IPv4 address: where machines and relays reach this edge. */
  readonly address: string;
}

/** @throws Problem interface_unknown, interface_without_address */
export function listenerOn(interfaceName: string): Listener {
  const known = readdirSync('/sys/class/net');
  if (!known.includes(interfaceName))
    throw problem('interface_unknown', {
      field: 'interface',
      facts: { name: interfaceName, known: known.join(', ') },
    });
  const address = addressOf(interfaceName);
  if (address === undefined)
    throw problem('interface_without_address', { field: 'interface', facts: { name: interfaceName } });
  return { interfaceName, address };
}

/**
 * netdevice(7). Node's networkInterfaces() leaves out an interface whose link is not up yet, and an edge often
 * starts before its switch port does.
 */
function addressOf(interfaceName: string): string | undefined {
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(interfaceName, 0, NAME_BYTES - 1, 'latin1');
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    if (ioctl(fd, SIOCGIFADDR, request) !== 0) return undefined;
    return [...request.subarray(ADDRESS_AT, ADDRESS_AT + 4)].join('.');
  } finally {
    close(fd);
  }
}

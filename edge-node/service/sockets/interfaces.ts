import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { problem } from '../problems.ts';

/** An interface on which this edge serves. */
export interface Listener {
  readonly interfaceName: string;
  /** Its first IPv4 address: where machines and relays reach this edge. */
  readonly address: string;
}

/** @throws Problem interface_unknown, interface_without_address */
export function listenerOn(interfaceName: string): Listener {
  const all = networkInterfaces();
  const addresses = all[interfaceName];
  // Node lists only interfaces that have an address.
  if (addresses === undefined && !existsSync(`/sys/class/net/${interfaceName}`))
    throw problem('interface_unknown', {
      field: 'interface',
      facts: { name: interfaceName, known: Object.keys(all).join(', ') },
    });
  const address = addresses?.find((each) => each.family === 'IPv4')?.address;
  if (address === undefined)
    throw problem('interface_without_address', { field: 'interface', facts: { name: interfaceName } });
  return { interfaceName, address };
}

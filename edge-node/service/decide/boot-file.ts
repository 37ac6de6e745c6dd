import { type FirmwareName, platformOf, SCRIPT_PATH } from '@bootswarm/ipxe';
import type { Client } from './identify.ts';

/** What a machine is to load next, and why. */
export type BootFile =
  | { readonly kind: 'script'; readonly url: string; readonly reason: string }
  | { readonly kind: 'tftp'; readonly file: FirmwareName; readonly reason: string }
  | { readonly kind: 'http'; readonly url: string; readonly reason: string }
  /** It speaks PXE and there is nothing for it. */
  | { readonly kind: 'none'; readonly reason: string };

/** User-class of iPXE builds made for Bootswarm: they always get the script. */
const OUR_USER_CLASS = 'bootswarm';

/**
 * What comes after the address, or undefined for a client that does not boot from the network. The order
 * leaves no way to be sent in a circle: whoever is told to load our build comes back as one that can take the
 * script (boot-protocols.md, branch order).
 * @param httpUrl of this edge, such as `http://10.1.2.2:8480`.
 */
export function chooseBootFile(client: Client, httpUrl: string): BootFile | undefined {
  const script = (reason: string): BootFile => ({ kind: 'script', url: httpUrl + SCRIPT_PATH, reason });
  const [userClass] = client.userClasses;
  if (userClass === OUR_USER_CLASS) return script('our own iPXE build');

  const platform = platformOf(client.architectures);
  if (client.vendorClass.startsWith('HTTPClient')) {
    if (platform.firmware === undefined) return { kind: 'none', reason: `no binary for ${platform.name}` };
    const url = `${httpUrl}/firmware/${platform.firmware}`;
    return { kind: 'http', url, reason: `${platform.name} firmware with HTTP boot` };
  }
  const isIpxe = userClass === 'iPXE' || userClass === 'gPXE';
  if (isIpxe && client.ipxe?.features.has('http'))
    return script(`${userClass} ${client.ipxe.version ?? ''} with HTTP`.replace('  ', ' '));
  if (!client.vendorClass.startsWith('PXEClient')) return undefined;

  if (platform.firmware === undefined) return { kind: 'none', reason: `no binary for ${platform.name}` };
  // Another user-class is anybody's text, and reasons reach journals and terminals.
  const who = isIpxe ? `${userClass} without HTTP on ${platform.name}` : platform.name;
  return { kind: 'tftp', file: platform.firmware, reason: who };
}

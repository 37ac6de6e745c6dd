import type { BootCause, PlatformKey } from '@bootswarm/controller/contract';
import { platformOf, SCRIPT_PATH, USUAL_BOOT_FILES } from '@bootswarm/ipxe';
import type { Client } from './client.ts';

/** What a machine is to load next, and why. */
export type BootFile =
  | { readonly kind: 'script'; readonly url: string; readonly reason: string }
  | { readonly kind: 'tftp'; readonly file: string; readonly reason: string }
  | { readonly kind: 'http'; readonly url: string; readonly reason: string }
  /** Its boot ROM knows by itself what to fetch, once it hears the name of its own boot service (quirk 19). */
  | { readonly kind: 'raspberry-pi'; readonly reason: string }
  /** It speaks PXE and there is nothing for it. */
  | {
      readonly kind: 'none';
      readonly cause: BootCause & ('architecture_unknown' | 'firmware_missing');
      readonly reason: string;
    };

/** What there is to boot from. */
export interface BootMeans {
  /** Of this edge, such as `http://10.1.2.2:8480`. */
  readonly httpUrl: string;
  /** Whether the edge's boot tree has a file of that name. */
  readonly hasFile: (name: string) => boolean;
  /** Other files than the usual ones, by policy. */
  readonly firmware: Readonly<Partial<Record<PlatformKey, string>>>;
}

/** User-class of iPXE builds made for Bootswarm: they always get the script. */
const OUR_USER_CLASS = 'bootswarm';
/** The first files that the boot ROM of a Raspberry Pi asks for: 3 and before, 4 and later. */
const RASPBERRY_PI_FILES = ['bootcode.bin', 'start4.elf'];

/**
 * What comes after the address, or undefined for a client that does not boot from the network. The order
 * leaves no way to be sent in a circle: whoever is told to load our build comes back as one that can take the
 * script (boot-protocols.md, branch order).
 */
export function chooseBootFile(client: Client, means: BootMeans): BootFile | undefined {
  const { httpUrl, hasFile, firmware } = means;
  const script = (reason: string): BootFile => ({ kind: 'script', url: httpUrl + SCRIPT_PATH, reason });
  const [userClass] = client.userClasses;
  if (userClass === OUR_USER_CLASS) return script('our own iPXE build');

  const isHttpBoot = client.vendorClass.startsWith('HTTPClient');
  const isIpxe = userClass === 'iPXE' || userClass === 'gPXE';
  if (!isHttpBoot && isIpxe && client.ipxe?.features.has('http'))
    return script(`${userClass} ${client.ipxe.version ?? ''} with HTTP`.replace('  ', ' '));
  if (!client.isNetworkBoot) return undefined;

  const { key, name } = platformOf(client.architectures, client.mac);
  if (key === 'raspberry-pi' && RASPBERRY_PI_FILES.some(hasFile))
    return { kind: 'raspberry-pi', reason: name };
  const file = key && (firmware[key] ?? USUAL_BOOT_FILES[key]);
  if (file === undefined)
    return { kind: 'none', cause: 'architecture_unknown', reason: `no boot file for ${name}` };
  if (!hasFile(file))
    return { kind: 'none', cause: 'firmware_missing', reason: `${file} for ${name} is not on this edge` };
  if (isHttpBoot)
    return { kind: 'http', url: `${httpUrl}/firmware/${file}`, reason: `${file} for ${name} by HTTP boot` };
  // Another user-class is anybody's text, and reasons reach journals and terminals.
  const who = isIpxe ? `${userClass} without HTTP on ${name}` : name;
  return { kind: 'tftp', file, reason: `${file} for ${who}` };
}

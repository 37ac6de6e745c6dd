import { ipv4FromBytes, ipv4FromNumber, ipv4ToBytes, parseCidr } from '../addresses.ts';
import { joined } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { type Option, option } from './option.ts';

export interface Route {
  /** `10.0.0.0/8` */
  readonly destination: string;
  /** `0.0.0.0` when the destination is on the link. */
  readonly router: string;
}

/** RFC 3442. A client that takes it ignores option 3: repeat the default route here. */
export const classlessRoutes = routes(OPTION.classlessRoutes);
/** The same under the number that old Windows asks for. */
export const microsoftRoutes = routes(OPTION.microsoftRoutes);

function routes(code: number): Option<readonly Route[]> {
  return option<readonly Route[]>(code, readRoutes, (list) => joined(list.map(writeRoute)));
}

function readRoutes(value: Uint8Array): readonly Route[] | undefined {
  const list: Route[] = [];
  for (let at = 0; at < value.length; ) {
    const prefixBits = value[at++] ?? 0;
    const destinationBytes = Math.ceil(prefixBits / 8);
    if (prefixBits > 32 || at + destinationBytes + 4 > value.length) return undefined;
    const destination = joined([value.subarray(at, at + destinationBytes), new Uint8Array(4)]);
    at += destinationBytes;
    list.push({
      destination: `${ipv4FromBytes(destination)}/${prefixBits}`,
      router: ipv4FromBytes(value, at),
    });
    at += 4;
  }
  return list.length > 0 ? list : undefined;
}

function writeRoute({ destination, router }: Route): Uint8Array {
  const { network, prefixBits } = parseCidr(destination);
  const significant = ipv4ToBytes(ipv4FromNumber(network)).subarray(0, Math.ceil(prefixBits / 8));
  return joined([Uint8Array.of(prefixBits), significant, ipv4ToBytes(router)]);
}

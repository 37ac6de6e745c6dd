import { ipv4FromBytes, ipv4ToBytes } from '../addresses.ts';
import { joined } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { type Option, option } from './option.ts';

/** RFC 2132 section 3.3. */
export const subnetMask = address(OPTION.subnetMask);
/** RFC 2132 section 3.5; the first is preferred. */
export const routers = addressList(OPTION.routers);
/** RFC 2132 section 3.8. */
export const nameServers = addressList(OPTION.nameServers);
/** RFC 2132 section 5.3. */
export const broadcastAddress = address(OPTION.broadcastAddress);
/** RFC 2132 section 8.3. */
export const ntpServers = addressList(OPTION.ntpServers);
/** RFC 2132 section 9.1. */
export const requestedAddress = address(OPTION.requestedAddress);
/** RFC 2132 section 9.7. */
export const serverId = address(OPTION.serverId);
/** The subnet the client wants, by any of its addresses (RFC 3011). */
export const subnetSelection = address(OPTION.subnetSelection);
/** RFC 5859: a list, unlike option 66. */
export const tftpServers = addressList(OPTION.tftpServers);

function address(code: number): Option<string> {
  return option(code, (value) => (value.length === 4 ? ipv4FromBytes(value) : undefined), ipv4ToBytes);
}

function addressList(code: number): Option<readonly string[]> {
  return option<readonly string[]>(
    code,
    (value) => {
      if (value.length === 0 || value.length % 4 !== 0) return undefined;
      return Array.from({ length: value.length / 4 }, (_, index) => ipv4FromBytes(value, index * 4));
    },
    (addresses) => joined(addresses.map(ipv4ToBytes)),
  );
}

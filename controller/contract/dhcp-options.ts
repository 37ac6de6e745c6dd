import { z } from 'zod';
import { ipv4ToNumber, isIpv4, parseSubnet } from './ipv4.ts';

/** How an option's value is written by an operator and laid on the wire. */
type DhcpOptionType =
  | 'address'
  | 'addresses'
  | 'text'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'int32'
  | 'flag'
  | 'bytes'
  | 'domains'
  | 'routes';

export interface DhcpOptionDefinition {
  readonly code: number;
  readonly type: DhcpOptionType;
  /** Of a number: RFC 2132 names the least that makes sense. */
  readonly least?: number;
  /** Of a number: the only ones that mean something. */
  readonly oneOf?: readonly number[];
  /** Addresses come in pairs: a destination, or an address and a mask, and a router. */
  readonly inPairs?: true;
  /** An address that is a netmask: ones, then zeros. */
  readonly isMask?: true;
}

/**
 * Options that an operator may set, by the names of dhcp-options(5); numbers and types are IANA's, from RFC 2132 and,
 * beside it, RFC 2937 (nds), 4833 (pcode, tcode), 5417 (capwap), 5859 (150), 5071 (pxelinux), 8910 (114), 8925 (108).
 * Lists of numbers, slp and vendor-identifying options are written by number and in hexadecimal.
 */
export const DHCP_OPTIONS: Readonly<Record<string, DhcpOptionDefinition>> = {
  'subnet-mask': { code: 1, type: 'address', isMask: true },
  'time-offset': { code: 2, type: 'int32' },
  routers: { code: 3, type: 'addresses' },
  'time-servers': { code: 4, type: 'addresses' },
  'ien116-name-servers': { code: 5, type: 'addresses' },
  'domain-name-servers': { code: 6, type: 'addresses' },
  'log-servers': { code: 7, type: 'addresses' },
  'cookie-servers': { code: 8, type: 'addresses' },
  'lpr-servers': { code: 9, type: 'addresses' },
  'impress-servers': { code: 10, type: 'addresses' },
  'resource-location-servers': { code: 11, type: 'addresses' },
  'host-name': { code: 12, type: 'text' },
  'boot-size': { code: 13, type: 'uint16' },
  'merit-dump': { code: 14, type: 'text' },
  'domain-name': { code: 15, type: 'text' },
  'swap-server': { code: 16, type: 'address' },
  'root-path': { code: 17, type: 'text' },
  'extensions-path': { code: 18, type: 'text' },
  'ip-forwarding': { code: 19, type: 'flag' },
  'non-local-source-routing': { code: 20, type: 'flag' },
  'policy-filter': { code: 21, type: 'addresses', inPairs: true },
  'max-dgram-reassembly': { code: 22, type: 'uint16', least: 576 },
  'default-ip-ttl': { code: 23, type: 'uint8', least: 1 },
  'path-mtu-aging-timeout': { code: 24, type: 'uint32' },
  'interface-mtu': { code: 26, type: 'uint16', least: 68 },
  'all-subnets-local': { code: 27, type: 'flag' },
  'broadcast-address': { code: 28, type: 'address' },
  'perform-mask-discovery': { code: 29, type: 'flag' },
  'mask-supplier': { code: 30, type: 'flag' },
  'router-discovery': { code: 31, type: 'flag' },
  'router-solicitation-address': { code: 32, type: 'address' },
  'static-routes': { code: 33, type: 'addresses', inPairs: true },
  'trailer-encapsulation': { code: 34, type: 'flag' },
  'arp-cache-timeout': { code: 35, type: 'uint32' },
  'ieee802-3-encapsulation': { code: 36, type: 'flag' },
  'default-tcp-ttl': { code: 37, type: 'uint8', least: 1 },
  'tcp-keepalive-interval': { code: 38, type: 'uint32' },
  'tcp-keepalive-garbage': { code: 39, type: 'flag' },
  'nis-domain': { code: 40, type: 'text' },
  'nis-servers': { code: 41, type: 'addresses' },
  'ntp-servers': { code: 42, type: 'addresses' },
  'vendor-encapsulated-options': { code: 43, type: 'bytes' },
  'netbios-name-servers': { code: 44, type: 'addresses' },
  'netbios-dd-server': { code: 45, type: 'addresses' },
  'netbios-node-type': { code: 46, type: 'uint8', oneOf: [1, 2, 4, 8] },
  'netbios-scope': { code: 47, type: 'text' },
  'font-servers': { code: 48, type: 'addresses' },
  'x-display-manager': { code: 49, type: 'addresses' },
  'nwip-domain': { code: 62, type: 'text' },
  'nisplus-domain': { code: 64, type: 'text' },
  'nisplus-servers': { code: 65, type: 'addresses' },
  'mobile-ip-home-agent': { code: 68, type: 'addresses' },
  'smtp-server': { code: 69, type: 'addresses' },
  'pop-server': { code: 70, type: 'addresses' },
  'nntp-server': { code: 71, type: 'addresses' },
  'www-server': { code: 72, type: 'addresses' },
  'finger-server': { code: 73, type: 'addresses' },
  'irc-server': { code: 74, type: 'addresses' },
  'streettalk-server': { code: 75, type: 'addresses' },
  'streettalk-directory-assistance-server': { code: 76, type: 'addresses' },
  'nds-servers': { code: 85, type: 'addresses' },
  'nds-tree-name': { code: 86, type: 'text' },
  'nds-context': { code: 87, type: 'text' },
  'uap-servers': { code: 98, type: 'text' },
  pcode: { code: 100, type: 'text' },
  tcode: { code: 101, type: 'text' },
  'v6-only-preferred': { code: 108, type: 'uint32' },
  'netinfo-server-address': { code: 112, type: 'addresses' },
  'netinfo-server-tag': { code: 113, type: 'text' },
  'default-url': { code: 114, type: 'text' },
  'domain-search': { code: 119, type: 'domains' },
  'classless-static-routes': { code: 121, type: 'routes' },
  'capwap-ac-v4': { code: 138, type: 'addresses' },
  'tftp-server-address': { code: 150, type: 'addresses' },
  'pxelinux.configfile': { code: 209, type: 'text' },
  'pxelinux.pathprefix': { code: 210, type: 'text' },
  'pxelinux.reboottime': { code: 211, type: 'uint32' },
};

/**
 * What the edge itself must say, the lease says, or only clients and relays say (77, 91 to 94, 118, 124, 151 to 157)
 * or must be agreed on (80, 81, 90, 145): not an operator's to set.
 */
const OWN_CODES = new Set([
  0, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 66, 67, 77, 80, 81, 82, 90, 91, 92, 93, 94, 97, 118, 124,
  145, 151, 152, 153, 154, 155, 156, 157, 175, 255,
]);

/** The definition behind a name of the table or a number, which then holds bytes. */
export function dhcpOptionOf(name: string): DhcpOptionDefinition | undefined {
  if (Object.hasOwn(DHCP_OPTIONS, name)) return DHCP_OPTIONS[name];
  if (!/^[1-9]\d{0,2}$/.test(name)) return undefined;
  const code = Number(name);
  if (code > 254 || OWN_CODES.has(code)) return undefined;
  return Object.values(DHCP_OPTIONS).find((each) => each.code === code) ?? { code, type: 'bytes' };
}

/** The name behind a number of the table. */
export function dhcpOptionName(code: number): string | undefined {
  return Object.keys(DHCP_OPTIONS).find((name) => DHCP_OPTIONS[name]?.code === code);
}

const LIMITS = {
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};
/** One option carries 255 bytes; RFC 3396 would let it go on, and firmware would not. */
const ADDRESSES_MOST = 63;
const DOMAIN = /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/;

/** What is wrong with `value` as such an option, or undefined. */
function dhcpValueProblem(definition: DhcpOptionDefinition, value: string): string | undefined {
  const { type } = definition;
  const items = listOf(value);
  switch (type) {
    case 'address':
      if (!isIpv4(value)) return 'must be an IPv4 address such as 10.1.2.3';
      return definition.isMask && !isMask(value) ? 'must be a netmask such as 255.255.255.0' : undefined;
    case 'addresses':
      return addressesProblem(definition, items);
    case 'text':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      return /^[^\u0000-\u001f\u007f]{1,255}$/.test(value)
        ? undefined
        : 'must be 1 to 255 printable characters';
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'int32': {
      const [lowest = 0, most = 0] = LIMITS[type];
      const least = definition.least ?? lowest;
      const number = Number(value);
      if (!/^-?\d+$/.test(value) || number < least || number > most)
        return `must be a whole number between ${least} and ${most}`;
      return definition.oneOf?.includes(number) === false
        ? `must be one of ${definition.oneOf.join(', ')}`
        : undefined;
    }
    case 'flag':
      return value === 'true' || value === 'false' ? undefined : 'must be true or false';
    case 'bytes':
      return /^([0-9a-f]{2})(:?[0-9a-f]{2}){0,254}$/i.test(value)
        ? undefined
        : 'must be up to 255 bytes in hexadecimal, such as 0a:01:ff';
    case 'domains':
      return items.length > 0 && items.every((item) => item.length <= 253 && DOMAIN.test(item))
        ? undefined
        : 'must be domain names with commas between them';
    case 'routes':
      return items.length > 0 && items.length <= 32 && items.every(isRoute)
        ? undefined
        : 'must be routes such as 10.8.0.0/16 via 10.1.2.254, with commas between them';
  }
}

function addressesProblem(
  { code, inPairs }: DhcpOptionDefinition,
  items: readonly string[],
): string | undefined {
  if (items.length > ADDRESSES_MOST || !items.every(isIpv4))
    return `must be 1 to ${ADDRESSES_MOST} IPv4 addresses with commas between them, such as 10.1.2.3, 10.1.2.4`;
  if (!inPairs) return undefined;
  if (items.length % 2 !== 0) return 'must be pairs of addresses: each destination, then its router or mask';
  // RFC 2132, section 5.8: the default route is no static route; 21 may filter by it.
  return code === 33 && items.some((item, index) => index % 2 === 0 && item === '0.0.0.0')
    ? 'must not hold the default route: set routers, or classless-static-routes'
    : undefined;
}

function isMask(text: string): boolean {
  const zeros = 2 ** 32 - ipv4ToNumber(text);
  return Number.isInteger(Math.log2(zeros));
}

/** The items of a value that holds several, with commas between them. */
export function listOf(value: string): string[] {
  return value.split(',').map((item) => item.trim());
}

function isRoute(text: string): boolean {
  const [subnet = '', via, gateway = '', ...rest] = text.split(/\s+/);
  if (via !== 'via' || rest.length > 0 || !isIpv4(gateway)) return false;
  try {
    return parseSubnet(subnet).prefixLength <= 32;
  } catch {
    return false;
  }
}

/** Options by name (dhcp-options(5)) or number, each with its value as text. An empty value takes one away that a wider level set. */
export const DhcpOptionSettings = z
  .record(
    z.string(),
    z.union([z.string().max(1024), z.number().transform(String), z.boolean().transform(String)]),
  )
  .superRefine((settings, context) => {
    const names = new Map<number, string>();
    for (const [name, value] of Object.entries(settings)) {
      const definition = dhcpOptionOf(name);
      const twin = definition && names.get(definition.code);
      if (twin !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: `is the same option as ${twin}` });
      if (definition) names.set(definition.code, name);
      const reason = definition
        ? value === ''
          ? undefined
          : dhcpValueProblem(definition, value)
        : 'is no option that may be set here: a name of dhcp-options(5), or a number that the edge does not need itself';
      if (reason !== undefined) context.addIssue({ code: 'custom', path: [name], message: reason });
    }
  });
export type DhcpOptionSettings = z.infer<typeof DhcpOptionSettings>;

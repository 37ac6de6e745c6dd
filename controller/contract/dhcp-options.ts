import { z } from 'zod';
import { isIpv4, parseSubnet } from './ipv4.ts';

/** How an option's value is written by an operator and laid on the wire. */
export type DhcpOptionType =
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
}

/** Options that an operator may set, by the names of dhcp-options(5); their numbers and types are IANA's. */
export const DHCP_OPTIONS: Readonly<Record<string, DhcpOptionDefinition>> = {
  'subnet-mask': { code: 1, type: 'address' },
  'time-offset': { code: 2, type: 'int32' },
  routers: { code: 3, type: 'addresses' },
  'time-servers': { code: 4, type: 'addresses' },
  'domain-name-servers': { code: 6, type: 'addresses' },
  'log-servers': { code: 7, type: 'addresses' },
  'lpr-servers': { code: 9, type: 'addresses' },
  'host-name': { code: 12, type: 'text' },
  'boot-size': { code: 13, type: 'uint16' },
  'domain-name': { code: 15, type: 'text' },
  'root-path': { code: 17, type: 'text' },
  'ip-forwarding': { code: 19, type: 'flag' },
  'default-ip-ttl': { code: 23, type: 'uint8' },
  'interface-mtu': { code: 26, type: 'uint16' },
  'broadcast-address': { code: 28, type: 'address' },
  'router-discovery': { code: 31, type: 'flag' },
  'static-routes': { code: 33, type: 'addresses' },
  'arp-cache-timeout': { code: 35, type: 'uint32' },
  'default-tcp-ttl': { code: 37, type: 'uint8' },
  'nis-domain': { code: 40, type: 'text' },
  'nis-servers': { code: 41, type: 'addresses' },
  'ntp-servers': { code: 42, type: 'addresses' },
  'netbios-name-servers': { code: 44, type: 'addresses' },
  'font-servers': { code: 48, type: 'addresses' },
  'smtp-server': { code: 69, type: 'addresses' },
  'www-server': { code: 72, type: 'addresses' },
  pcode: { code: 100, type: 'text' },
  tcode: { code: 101, type: 'text' },
  'domain-search': { code: 119, type: 'domains' },
  'classless-static-routes': { code: 121, type: 'routes' },
  'tftp-server-address': { code: 150, type: 'addresses' },
  'pxelinux.configfile': { code: 209, type: 'text' },
  'pxelinux.pathprefix': { code: 210, type: 'text' },
  'pxelinux.reboottime': { code: 211, type: 'uint32' },
};

/** What the edge itself must say, or the lease says: not an operator's to set. */
const OWN_CODES = new Set([0, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 66, 67, 82, 97, 175, 255]);

/** The definition behind a name of the table or a number, which then holds bytes. */
export function dhcpOptionOf(name: string): DhcpOptionDefinition | undefined {
  const known = DHCP_OPTIONS[name];
  if (known) return known;
  if (!/^[1-9]\d{0,2}$/.test(name)) return undefined;
  const code = Number(name);
  if (code > 254 || OWN_CODES.has(code)) return undefined;
  return Object.values(DHCP_OPTIONS).find((each) => each.code === code) ?? { code, type: 'bytes' };
}

const LIMITS = {
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};
const DOMAIN = /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/;

/** What is wrong with `value` as an option of that type, or undefined. */
export function dhcpValueProblem(type: DhcpOptionType, value: string): string | undefined {
  const items = listOf(value);
  switch (type) {
    case 'address':
      return isIpv4(value) ? undefined : 'must be an IPv4 address such as 10.1.2.3';
    case 'addresses':
      return items.length > 0 && items.length <= 32 && items.every(isIpv4)
        ? undefined
        : 'must be IPv4 addresses with commas between them, such as 10.1.2.3, 10.1.2.4';
    case 'text':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      return /^[^\u0000-\u001f\u007f]{1,255}$/.test(value)
        ? undefined
        : 'must be 1 to 255 printable characters';
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'int32': {
      const [least = 0, most = 0] = LIMITS[type];
      const number = Number(value);
      return /^-?\d+$/.test(value) && number >= least && number <= most
        ? undefined
        : `must be a whole number between ${least} and ${most}`;
    }
    case 'flag':
      return value === 'true' || value === 'false' ? undefined : 'must be true or false';
    case 'bytes':
      return /^([0-9a-f]{2})(:?[0-9a-f]{2}){0,254}$/i.test(value)
        ? undefined
        : 'must be up to 255 bytes in hexadecimal, such as 0a:01:ff';
    case 'domains':
      return items.length > 0 && items.every((item) => DOMAIN.test(item))
        ? undefined
        : 'must be domain names with commas between them';
    case 'routes':
      return items.length > 0 && items.length <= 32 && items.every(isRoute)
        ? undefined
        : 'must be routes such as 10.8.0.0/16 via 10.1.2.254, with commas between them';
  }
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
    for (const [name, value] of Object.entries(settings)) {
      const definition = dhcpOptionOf(name);
      const reason = definition
        ? value === ''
          ? undefined
          : dhcpValueProblem(definition.type, value)
        : 'is no option that may be set here: a name of dhcp-options(5), or a number that the edge does not need itself';
      if (reason !== undefined) context.addIssue({ code: 'custom', path: [name], message: reason });
    }
  });
export type DhcpOptionSettings = z.infer<typeof DhcpOptionSettings>;

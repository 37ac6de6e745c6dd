import {
  type DhcpOptionDefinition,
  type DhcpOptionSettings,
  dhcpOptionOf,
  listOf,
  numberToIpv4,
  parseSubnet,
  type Segment,
} from '@bootswarm/controller/contract';
import {
  broadcastAddress,
  classlessRoutes,
  type DhcpOptions,
  domainName,
  domainSearch,
  nameServers,
  OPTION,
  parameterList,
  routers,
  subnetMask,
} from '@bootswarm/edge-node/dhcp4';

/** Options of one level (global, segment, class, machine) by code; undefined takes away what a wider level set. */
export type OptionLevel = ReadonlyMap<number, Uint8Array | undefined>;

/** @param settings as the contract has checked them. */
export function encodeSettings(settings: DhcpOptionSettings): OptionLevel {
  return new Map(
    Object.entries(settings).flatMap(([name, value]) => {
      const definition = dhcpOptionOf(name);
      return definition ? [[definition.code, value === '' ? undefined : encodeValue(definition, value)]] : [];
    }),
  );
}

/** What a segment says by fields of its own rather than as options. */
export function segmentOptions({ subnet, router, dnsServers, domain }: Segment): OptionLevel {
  const { netmask, broadcast } = parseSubnet(subnet);
  return new Map([
    subnetMask.write(netmask),
    broadcastAddress.write(numberToIpv4(broadcast)),
    ...(router === undefined ? [] : [routers.write([router])]),
    ...(dnsServers.length === 0 ? [] : [nameServers.write(dnsServers)]),
    ...(domain === undefined ? [] : [domainName.write(domain)]),
  ]);
}

/** One level over the other, the later winning. */
export function layered(levels: readonly OptionLevel[]): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  layer(levels, options);
  return options;
}

/** The same over what is there already. */
export function layer(levels: readonly OptionLevel[], over: Map<number, Uint8Array>): void {
  for (const level of levels)
    for (const [code, value] of level) {
      if (value === undefined) over.delete(code);
      else over.set(code, value);
    }
}

/** Old Windows asks for the routes of RFC 3442 under a number of its own. */
export function withMicrosoftRoutes(options: Map<number, Uint8Array>, asked: DhcpOptions): void {
  const routes = options.get(OPTION.classlessRoutes);
  if (routes && parameterList.read(asked)?.includes(OPTION.microsoftRoutes))
    options.set(OPTION.microsoftRoutes, routes);
}

function encodeValue({ type }: DhcpOptionDefinition, value: string): Uint8Array {
  switch (type) {
    case 'address':
    case 'addresses':
      return nameServers.write(listOf(value))[1];
    case 'text':
      return new Uint8Array(Buffer.from(value, 'utf8'));
    case 'uint8':
      return Uint8Array.of(Number(value));
    case 'uint16':
      return Uint8Array.of(Number(value) >> 8, Number(value));
    case 'uint32':
    case 'int32':
      return Uint8Array.from([24, 16, 8, 0], (shift) => Number(value) >> shift);
    case 'flag':
      return Uint8Array.of(value === 'true' ? 1 : 0);
    case 'bytes':
      return new Uint8Array(Buffer.from(value.replaceAll(':', ''), 'hex'));
    case 'domains':
      return domainSearch.write(listOf(value))[1];
    case 'routes':
      return classlessRoutes.write(listOf(value).map(routeOf))[1];
  }
}

function routeOf(text: string): { readonly destination: string; readonly router: string } {
  const [destination = '', , router = ''] = text.split(/\s+/);
  return { destination, router };
}

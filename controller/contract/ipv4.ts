/** IPv4 arithmetic on dotted text, as segments and pools need it. Addresses are unsigned 32-bit numbers. */

/** @throws RangeError where `text` is no dotted IPv4 address. */
export function ipv4ToNumber(text: string): number {
  if (!isIpv4(text)) throw new RangeError(`'${text}' is no IPv4 address`);
  return text.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

export function numberToIpv4(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

/** Without leading zeros: some programs read them as octal, and one address must have one spelling. */
export function isIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

export interface Subnet {
  readonly network: number;
  readonly broadcast: number;
  readonly prefixLength: number;
  readonly netmask: string;
}

/**
 * Reads `10.1.2.0/24`. Bits beside the prefix are ignored, so `10.1.2.7/24` is the same subnet.
 * @throws RangeError where `cidr` is no subnet.
 */
export function parseSubnet(cidr: string): Subnet {
  const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,2})$/.exec(cidr) ?? [];
  const prefixLength = Number(prefix);
  if (prefix === '' || prefixLength > 32) throw new RangeError(`'${cidr}' is no subnet such as 10.1.2.0/24`);
  const size = 2 ** (32 - prefixLength);
  const network = Math.floor(ipv4ToNumber(address) / size) * size;
  return {
    network,
    broadcast: network + size - 1,
    prefixLength,
    netmask: numberToIpv4(2 ** 32 - size),
  };
}

/** Whether a host may carry `address` in `subnet`: inside, and neither its network nor its broadcast address. */
export function isHostOf(subnet: Subnet, address: string): boolean {
  const number = ipv4ToNumber(address);
  return number > subnet.network && number < subnet.broadcast;
}

export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

export function rangesOverlap(a: AddressRange, b: AddressRange): boolean {
  return ipv4ToNumber(a.first) <= ipv4ToNumber(b.last) && ipv4ToNumber(b.first) <= ipv4ToNumber(a.last);
}

export function rangeHolds(range: AddressRange, address: string): boolean {
  return rangesOverlap(range, { first: address, last: address });
}

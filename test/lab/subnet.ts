/** An IPv4 subnet; addresses are dotted quads. */
export interface Subnet {
  /** Such as `10.66.1.0/24`. */
  readonly cidr: string;
  readonly prefixLength: number;
  readonly netmask: string;
  /** The nth address of the subnet: `address(1)` of 10.66.1.0/24 is `10.66.1.1`. Throws a RangeError outside it. */
  address(index: number): string;
}

/** Reads `a.b.c.d/n`, n from 1 to 30. Throws a RangeError for anything else, and for host bits that are set. */
export function parseSubnet(cidr: string): Subnet {
  const [dotted = '', length = ''] = cidr.split('/');
  const prefixLength = Number(length);
  const octets = dotted.split('.').map(Number);
  const valid = octets.length === 4 && octets.every((octet) => octet >= 0 && octet <= 255);
  if (!valid || !(prefixLength >= 1 && prefixLength <= 30)) throw new RangeError(`not a subnet: ${cidr}`);

  const size = 2 ** (32 - prefixLength);
  const network = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  if (network % size !== 0) throw new RangeError(`host bits are set in ${cidr}`);

  return {
    cidr,
    prefixLength,
    netmask: dottedQuad(2 ** 32 - size),
    address(index) {
      if (index < 0 || index >= size) throw new RangeError(`${cidr} has no address ${index}`);
      return dottedQuad(network + index);
    },
  };
}

function dottedQuad(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

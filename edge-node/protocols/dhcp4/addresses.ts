const DOTTED = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** @returns 0 to 2^32-1. @throws RangeError unless four decimal octets, without leading zeros. */
export function ipv4ToNumber(dotted: string): number {
  if (!DOTTED.test(dotted)) throw new RangeError(`${JSON.stringify(dotted)} is not an IPv4 address`);
  return dotted.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

/** @throws RangeError unless an integer of 0 to 2^32-1. */
export function ipv4FromNumber(number: number): string {
  if (number !== number >>> 0) throw new RangeError(`${number} is not a 32-bit number`);
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join('.');
}

/** @returns four bytes. @throws RangeError unless dotted. */
export function ipv4ToBytes(dotted: string): Uint8Array {
  const number = ipv4ToNumber(dotted);
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}

/** Reads four bytes at an offset, which must be inside. */
export function ipv4FromBytes(bytes: Uint8Array, at = 0): string {
  return bytes.subarray(at, at + 4).join('.');
}

/** `52:54:00:aa:00:01`, of as many bytes as there are. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** A subnet as numbers: `network` has its host bits cleared. */
interface Subnet {
  readonly network: number;
  readonly prefixBits: number;
}

/** Reads `10.0.0.0/8`; host bits are ignored. @throws RangeError unless an address and 0 to 32. */
export function parseCidr(cidr: string): Subnet {
  const [address = '', bits = '', ...rest] = cidr.split('/');
  if (rest.length > 0 || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) {
    throw new RangeError(`${JSON.stringify(cidr)} is not a subnet`);
  }
  const prefixBits = Number(bits);
  return { network: (ipv4ToNumber(address) & maskOf(prefixBits)) >>> 0, prefixBits };
}

function maskOf(prefixBits: number): number {
  // A shift by 32 is a shift by 0 in JavaScript.
  return prefixBits === 0 ? 0 : (-1 << (32 - prefixBits)) >>> 0;
}

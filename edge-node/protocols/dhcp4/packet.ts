import { ipv4FromBytes, ipv4ToNumber } from './addresses.ts';
import { layOut, lengthInOne, writeInOne } from './fields.ts';
import { latin1, putLatin1, putUint32, Slab, uint16At, uint32At } from './octets.ts';
import { OPTION } from './options/numbers.ts';
import type { DhcpOptions } from './options/option.ts';
import { gather, joinParts } from './tlv.ts';

/** A DHCP or BOOTP message (RFC 2131 section 2). Addresses are dotted; `0.0.0.0` means none. */
export interface DhcpPacket {
  readonly op: 'request' | 'reply';
  /** 1 is Ethernet, 32 InfiniBand. */
  readonly htype: number;
  /** Bytes of chaddr, 0 to 16. */
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  /** Seconds since the client began, by its own account: iPXE puts other things here (quirk 22). */
  readonly secs: number;
  readonly broadcast: boolean;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  readonly chaddr: Uint8Array;
  /** Latin-1, at most 63 characters to send; empty when it holds options. */
  readonly sname: string;
  /** Latin-1, at most 127 characters to send; empty when it holds options. */
  readonly file: string;
  readonly options: DhcpOptions;
}

export type MalformedReason =
  | 'too short'
  | 'unknown op'
  | 'bad hlen'
  | 'no cookie'
  | 'truncated option'
  | 'bad overload';

export type Decoded =
  | { readonly ok: true; readonly packet: DhcpPacket }
  | { readonly ok: false; readonly reason: MalformedReason };

const CHADDR = { at: 28, bytes: 16 };
const SNAME = { name: 'sname', at: 44, bytes: 64 };
const FILE = { name: 'file', at: 108, bytes: 128 };
const COOKIE_AT = 236;
const OPTIONS_AT = 240;
const COOKIE = 0x63825363;
const BROADCAST = 0x8000;
const ETHERNET = { htype: 1, hlen: 6 };

/** Without option 57 a client takes a datagram of 576 bytes (RFC 2131 section 2), 28 of them IP and UDP. */
export const DEFAULT_MAX_BYTES = 548;
/** Relays drop shorter ones (RFC 1542 section 2.1, quirk 15). */
const MIN_BYTES = 300;
const memory = new Slab();

/**
 * Reads a UDP payload in linear time and never throws. The packet shares no memory with `bytes`.
 * A request whose vendor area is all zeros is BOOTP (RFC 951) and decodes with no options;
 * any other message without the magic cookie is malformed.
 */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length < OPTIONS_AT) return malformed('too short');
  const [op = 0, htype = 0, hlen = 0, hops = 0] = bytes;
  if (op !== 1 && op !== 2) return malformed('unknown op');
  // Leases are keyed by the MAC, so an Ethernet client without a whole one is nobody.
  if (hlen > CHADDR.bytes || (htype === ETHERNET.htype && hlen !== ETHERNET.hlen))
    return malformed('bad hlen');

  const read = readOptions(bytes, uint32At(bytes, COOKIE_AT) === COOKIE, op === 1);
  if (!read.ok) return read;
  return {
    ok: true,
    packet: {
      op: op === 1 ? 'request' : 'reply',
      htype,
      hlen,
      hops,
      xid: uint32At(bytes, 4),
      secs: uint16At(bytes, 8),
      broadcast: (uint16At(bytes, 10) & BROADCAST) !== 0,
      ciaddr: ipv4FromBytes(bytes, 12),
      yiaddr: ipv4FromBytes(bytes, 16),
      siaddr: ipv4FromBytes(bytes, 20),
      giaddr: ipv4FromBytes(bytes, 24),
      chaddr: Uint8Array.from(bytes.subarray(CHADDR.at, CHADDR.at + hlen)),
      sname: read.overload & 2 ? '' : readName(bytes, SNAME),
      file: read.overload & 1 ? '' : readName(bytes, FILE),
      options: read.options,
    },
  };
}

/** True for a message without option 53, which only BOOTP clients send (RFC 1534). */
export function isBootp(packet: DhcpPacket): boolean {
  return !packet.options.has(OPTION.messageType);
}

/**
 * Writes a UDP payload: option 53 first, 82 last, the others in the map's order, END, then zeros up to 300 bytes
 * (padding before END upsets U-Boot, quirk 16). Options longer than 255 bytes are split (RFC 3396);
 * `file` and `sname` take options over when they are empty and space runs out (option 52).
 * @param limits.maxBytes of the payload, as maxReplyBytes tells; 548 unless told.
 * @param limits.mayOverload whether the reader knows option 52; true unless told.
 * @throws RangeError when a field does not fit its place or the options do not fit maxBytes.
 */
export function encode(
  packet: DhcpPacket,
  limits: { readonly maxBytes?: number; readonly mayOverload?: boolean } = {},
): Uint8Array {
  const { maxBytes = DEFAULT_MAX_BYTES, mayOverload = true } = limits;
  const { chaddr, hlen } = packet;
  checkCodes(packet.options);
  if (chaddr.length !== hlen || hlen > CHADDR.bytes)
    throw new RangeError(`chaddr of ${chaddr.length} bytes for an hlen of ${hlen}`);
  const length = lengthInOne(packet.options);
  const overloaded =
    OPTIONS_AT + length <= maxBytes ? undefined : overload(packet, maxBytes - OPTIONS_AT, mayOverload);
  const bytes = memory.take(Math.max(MIN_BYTES, OPTIONS_AT + (overloaded?.options.length ?? length)));
  bytes[0] = packet.op === 'request' ? 1 : 2;
  bytes[1] = packet.htype;
  bytes[2] = hlen;
  bytes[3] = packet.hops;
  putUint32(bytes, 4, packet.xid);
  bytes[8] = packet.secs >>> 8;
  bytes[9] = packet.secs;
  bytes[10] = packet.broadcast ? BROADCAST >>> 8 : 0;
  putUint32(bytes, 12, ipv4ToNumber(packet.ciaddr));
  putUint32(bytes, 16, ipv4ToNumber(packet.yiaddr));
  putUint32(bytes, 20, ipv4ToNumber(packet.siaddr));
  putUint32(bytes, 24, ipv4ToNumber(packet.giaddr));
  bytes.set(chaddr, CHADDR.at);
  putName(bytes, SNAME, packet.sname);
  putName(bytes, FILE, packet.file);
  putUint32(bytes, COOKIE_AT, COOKIE);
  if (overloaded) {
    bytes.set(overloaded.options, OPTIONS_AT);
    for (const { at, values } of overloaded.others) bytes.set(values, at);
  } else writeInOne(packet.options, bytes, OPTIONS_AT);
  return bytes;
}

type ReadOptions =
  | { readonly ok: true; readonly options: DhcpOptions; readonly overload: number }
  | { readonly ok: false; readonly reason: MalformedReason };

function readOptions(bytes: Uint8Array, hasCookie: boolean, isRequest: boolean): ReadOptions {
  const vendorArea = bytes.subarray(COOKIE_AT);
  if (!hasCookie) {
    const isBootpRequest = isRequest && vendorArea.every((byte) => byte === 0);
    return isBootpRequest ? { ok: true, options: new Map(), overload: 0 } : malformed('no cookie');
  }
  const gathered = new Map<number, Uint8Array[]>();
  if (!gather(bytes.subarray(OPTIONS_AT), 'padded', gathered)) return malformed('truncated option');
  const overload = overloadOf(gathered.get(OPTION.overload));
  if (overload === undefined) return malformed('bad overload');
  for (const { at, bytes: length } of fieldsOf(overload)) {
    if (!gather(bytes.subarray(at, at + length), 'padded', gathered)) return malformed('truncated option');
  }
  // Only the options field may say where more options stand (RFC 2131 section 4.1).
  gathered.delete(OPTION.overload);
  return { ok: true, options: joinParts(gathered), overload };
}

/** 0 without option 52, else its value, if that is one of the three there are (RFC 2132 section 9.3). */
function overloadOf(parts: readonly Uint8Array[] | undefined): number | undefined {
  if (!parts) return 0;
  const [overload, ...rest] = parts.flatMap((part) => Array.from(part));
  return rest.length === 0 && (overload === 1 || overload === 2 || overload === 3) ? overload : undefined;
}

/** Fields that option 52 hands over, in the order of reading (RFC 2131 section 4.1). */
function fieldsOf(overload: number): readonly (typeof FILE)[] {
  return [...(overload & 1 ? [FILE] : []), ...(overload & 2 ? [SNAME] : [])];
}

function checkCodes(options: DhcpOptions): void {
  for (const code of options.keys()) {
    if (code !== (code & 255) || code === 0 || code === 255 || code === OPTION.overload)
      throw new RangeError(`option ${code} is not one that a caller may set`);
  }
}

/** What goes into the options field, and into the fields that are empty. */
function overload(packet: DhcpPacket, roomBytes: number, mayOverload: boolean) {
  const taken = (packet.file === '' ? 0 : 1) | (packet.sname === '' ? 0 : 2);
  for (const value of mayOverload ? [1, 2, 3] : []) {
    if (value & taken) continue;
    const fields = fieldsOf(value);
    const rooms = [roomBytes, ...fields.map(({ bytes }) => bytes)];
    const [options, ...others] = layOut(packet.options, rooms, value) ?? [];
    if (options)
      return { options, others: fields.map(({ at }, index) => ({ at, values: others[index] ?? [] })) };
  }
  throw new RangeError(`options do not fit ${OPTIONS_AT + roomBytes} bytes`);
}

function readName(bytes: Uint8Array, field: typeof FILE): string {
  if (bytes[field.at] === 0) return '';
  const name = latin1(bytes.subarray(field.at, field.at + field.bytes));
  const end = name.indexOf('\0');
  return end < 0 ? name : name.slice(0, end);
}

function putName(bytes: Uint8Array, { at, bytes: roomBytes, name: field }: typeof FILE, name: string): void {
  // One byte stays for the NUL, which firmware relies on.
  if (name.length >= roomBytes) throw new RangeError(`${field} is longer than ${roomBytes - 1} characters`);
  if (name.includes('\0')) throw new RangeError(`${field} holds a NUL`);
  putLatin1(bytes, at, name);
}

function malformed(reason: MalformedReason): { readonly ok: false; readonly reason: MalformedReason } {
  return { ok: false, reason };
}

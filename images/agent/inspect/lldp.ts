/** What a switch says of itself and of the port that a cable ends in (IEEE 802.1AB). */
export interface LldpNeighbour {
  /** MAC address, address or name, as the switch chose. */
  readonly chassis: string;
  readonly port: string;
  /** Seconds for which this holds; 0 takes back what was said before. */
  readonly ttlSeconds: number;
  readonly portDescription?: string;
  readonly systemName?: string;
  readonly systemDescription?: string;
  /** VLAN of untagged frames; 0 where the port has none. */
  readonly vlan?: number;
  readonly vlanNames?: readonly { readonly id: number; readonly name: string }[];
  readonly managementAddress?: string;
  /** Longest Ethernet frame that the port takes, in bytes. */
  readonly maxFrameBytes?: number;
}

const LLDP_ETHERTYPE = 0x88cc;
const HEADER_BYTES = 14;
const TEXT_MOST = 255;

/** Table 8-1: the types of TLVs that say something here. */
const TLV = {
  end: 0,
  chassis: 1,
  port: 2,
  ttl: 3,
  portDescription: 4,
  systemName: 5,
  systemDescription: 6,
  managementAddress: 8,
  organisation: 127,
} as const;
const [IEEE_8021, IEEE_8023] = [0x0080c2, 0x00120f];

/**
 * Reads a whole Ethernet frame as it was captured. Never throws.
 * @returns undefined for a frame of something else, or one without the three TLVs that each must have.
 */
export function decodeLldp(frame: Uint8Array): LldpNeighbour | undefined {
  if (frame.length < HEADER_BYTES || uint16(frame, 12) !== LLDP_ETHERTYPE) return undefined;
  const tlvs = readTlvs(frame.subarray(HEADER_BYTES));
  const first = (type: number): Uint8Array | undefined => tlvs.find((tlv) => tlv.type === type)?.value;
  const [chassis, port, ttl] = [first(TLV.chassis), first(TLV.port), first(TLV.ttl)];
  if (!chassis || !port || !ttl || chassis.length < 2 || port.length < 2 || ttl.length < 2) return undefined;
  const organisations = tlvs.filter(({ type, value }) => type === TLV.organisation && value.length >= 4);
  const told = (oui: number, subtype: number): readonly Uint8Array[] =>
    organisations
      .filter(({ value }) => ouiOf(value) === oui && value[3] === subtype)
      .map(({ value }) => value.subarray(4));
  const texts = {
    portDescription: textIn(first(TLV.portDescription)),
    systemName: textIn(first(TLV.systemName)),
    systemDescription: textIn(first(TLV.systemDescription)),
    managementAddress: managementAddressIn(first(TLV.managementAddress)),
  };
  const [vlan] = told(IEEE_8021, 1).filter(({ length }) => length >= 2);
  const vlanNames = told(IEEE_8021, 3).flatMap(vlanNameIn);
  const [maxFrame] = told(IEEE_8023, 4).filter(({ length }) => length >= 2);
  return {
    chassis: idText(chassis, CHASSIS_SUBTYPES),
    port: idText(port, PORT_SUBTYPES),
    ttlSeconds: uint16(ttl, 0),
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)),
    ...(vlan ? { vlan: uint16(vlan, 0) & 0xfff } : {}),
    ...(vlanNames.length > 0 ? { vlanNames } : {}),
    ...(maxFrame ? { maxFrameBytes: uint16(maxFrame, 0) } : {}),
  };
}

interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Up to the end or the first that does not fit: what stands before it was said all the same. */
function readTlvs(bytes: Uint8Array): readonly Tlv[] {
  const tlvs: Tlv[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const head = uint16(bytes, at);
    const [type, length] = [head >>> 9, head & 0x1ff];
    at += 2;
    if (type === TLV.end || at + length > bytes.length) break;
    tlvs.push({ type, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return tlvs;
}

/** Tables 8-2 and 8-3: which subtypes are a MAC address or a network address; the others are text. */
const CHASSIS_SUBTYPES = { mac: 4, network: 5 };
const PORT_SUBTYPES = { mac: 3, network: 4 };

function idText(value: Uint8Array, subtypes: { readonly mac: number; readonly network: number }): string {
  const [subtype, id] = [value[0], value.subarray(1)];
  if (subtype === subtypes.mac && id.length === 6) return hexText(id);
  if (subtype === subtypes.network) return networkText(id) ?? hexText(id);
  return textIn(id) ?? hexText(id);
}

/** An address family number (IANA) and the address. */
function networkText(bytes: Uint8Array): string | undefined {
  const [family, address] = [bytes[0], bytes.subarray(1)];
  if (family === 1 && address.length === 4) return address.join('.');
  if (family !== 2 || address.length !== 16) return undefined;
  return Array.from({ length: 8 }, (_, i) => uint16(address, i * 2).toString(16)).join(':');
}

function managementAddressIn(value: Uint8Array | undefined): string | undefined {
  const length = value?.[0];
  if (!value || !length || length + 1 > value.length) return undefined;
  return networkText(value.subarray(1, 1 + length));
}

function vlanNameIn(value: Uint8Array): readonly { readonly id: number; readonly name: string }[] {
  const length = value[2] ?? 0;
  if (value.length < 3 || value.length < 3 + length) return [];
  return [{ id: uint16(value, 0) & 0xfff, name: textIn(value.subarray(3, 3 + length)) ?? '' }];
}

/** What a neighbour calls itself is anybody's text: printable characters, and not too many. */
function textIn(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(0, TEXT_MOST));
  const clean = text.replace(/[\p{Cc}\p{Cf}\uFFFD]+/gu, ' ').trim();
  return clean === '' ? undefined : clean;
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, TEXT_MOST), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function ouiOf(value: Uint8Array): number {
  return (uint16(value, 0) << 8) | (value[2] ?? 0);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

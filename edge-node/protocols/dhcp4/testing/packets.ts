import { type DhcpOptions, type DhcpPacket, requestOf } from '../index.ts';

/** A request of a machine on Ethernet, with what a case is about. */
export function requestWith(facts: Partial<DhcpPacket> = {}): DhcpPacket {
  return requestOf(Uint8Array.of(0x52, 0x54, 0, 0xaa, 0, 1), { xid: 0x12345678, ...facts });
}

export const OPTIONS_AT = 240;

/** A request whose options field holds these bytes, whatever they are. */
export function rawRequest(
  optionBytes: readonly number[],
  fields: { file?: number[]; sname?: number[] } = {},
) {
  const bytes = new Uint8Array(OPTIONS_AT + optionBytes.length);
  bytes.set([1, 1, 6, 0]);
  bytes.set(fields.sname ?? [], 44);
  bytes.set(fields.file ?? [], 108);
  bytes.set([0x63, 0x82, 0x53, 0x63], 236);
  bytes.set(optionBytes, OPTIONS_AT);
  return bytes;
}

export function optionsOf(...entries: (readonly [number, Uint8Array])[]): DhcpOptions {
  return new Map(entries);
}

export function bytesFrom(hexadecimal: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hexadecimal.replaceAll(' ', ''), 'hex'));
}

import { hex } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** SMBIOS 7.2.1: all zeros is "no UUID", all ones "not set yet". Neither tells two machines apart. */
const NOT_A_MACHINE = new Set([
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
]);

/**
 * The machine's UUID in lower case, as `dmidecode` and iPXE's `${uuid}` print it (RFC 4578 section 2.3).
 * The first three fields travel little-endian: EDK2 copies the SMBIOS bytes, which are so since SMBIOS 2.6; iPXE swaps
 * them from the big-endian order that it prints, at any SMBIOS version (its net/udp/dhcp.c and smbios_settings.c).
 * undefined for length 0, for types other than 0, and for the UUIDs of no machine. Replies echo the raw value.
 */
export const machineId = option<string>(
  OPTION.machineId,
  (value) => {
    if (value.length !== 17 || value[0] !== 0) return undefined;
    const [, a, b, c, d, e] = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(hex(swapped(value.subarray(1)))) ?? [];
    const uuid = [a, b, c, d, e].join('-');
    return NOT_A_MACHINE.has(uuid) ? undefined : uuid;
  },
  (uuid) => {
    if (!UUID.test(uuid)) throw new RangeError(`${JSON.stringify(uuid)} is not a UUID in lower case`);
    return Uint8Array.of(0, ...swapped(Buffer.from(uuid.replaceAll('-', ''), 'hex')));
  },
);

/** Between the two byte orders of a UUID, either way. */
function swapped(uuid: Uint8Array): Uint8Array {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(order, (at) => uuid[at] ?? 0);
}

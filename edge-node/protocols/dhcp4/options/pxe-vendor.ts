import { ipv4FromBytes, ipv4ToBytes } from '../addresses.ts';
import { fromLatin1, joined, latin1, uint16At } from '../octets.ts';
import { readSubOptions, writeSubOptions } from '../tlv.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/** Option 43 under the vendor class `PXEClient` (PXE 2.1 section 2.2.3, table 2-1). */
export interface PxeVendorOptions {
  /** 43.6: bit 0 no broadcast, bit 1 no multicast, bit 2 only listed servers, bit 3 boot from `file` at once. */
  readonly discoveryControl?: number;
  /** 43.8 */
  readonly bootServers?: readonly { readonly type: number; readonly addresses: readonly string[] }[];
  /** 43.9; type 0 is the local disk. */
  readonly menu?: readonly { readonly type: number; readonly label: string }[];
  /** 43.10; 0 picks the first item at once, 255 waits for ever. */
  readonly prompt?: { readonly timeoutSeconds: number; readonly label: string };
  /** 43.71: the server type that the client picked; bit 15 of the layer asks for credentials. */
  readonly bootItem?: { readonly type: number; readonly layer: number };
}

/** Boots from `file` without asking a boot server on 4011 (quirk 4). */
export const BOOT_FROM_FILE = 8;

const SUB_OPTION = { discoveryControl: 6, bootServers: 8, menu: 9, prompt: 10, bootItem: 71 };

/** RFC 2132 section 8.4. */
export const pxeVendor = option<PxeVendorOptions>(OPTION.vendorOptions, read, (pxe) =>
  writeSubOptions(subOptionsOf(pxe), 'padded'),
);

function* subOptionsOf(pxe: PxeVendorOptions): Generator<readonly [number, Uint8Array]> {
  const { discoveryControl, bootServers, menu, prompt, bootItem } = pxe;
  if (discoveryControl !== undefined) yield [SUB_OPTION.discoveryControl, Uint8Array.of(discoveryControl)];
  if (bootServers) {
    const servers = bootServers.flatMap(({ type, addresses }) => [
      Uint8Array.of(type >> 8, type, addresses.length),
      ...addresses.map(ipv4ToBytes),
    ]);
    yield [SUB_OPTION.bootServers, joined(servers)];
  }
  if (menu) {
    const items = menu.flatMap(({ type, label }) => [
      Uint8Array.of(type >> 8, type, label.length),
      fromLatin1(label),
    ]);
    yield [SUB_OPTION.menu, joined(items)];
  }
  if (prompt) {
    yield [SUB_OPTION.prompt, joined([Uint8Array.of(prompt.timeoutSeconds), fromLatin1(prompt.label)])];
  }
  if (bootItem) {
    const { type, layer } = bootItem;
    yield [SUB_OPTION.bootItem, Uint8Array.of(type >> 8, type, layer >> 8, layer)];
  }
}

function read(value: Uint8Array): PxeVendorOptions | undefined {
  const subOptions = readSubOptions(value, 'padded');
  if (!subOptions) return undefined;
  const [discoveryControl] = subOptions.get(SUB_OPTION.discoveryControl) ?? [];
  const servers = subOptions.get(SUB_OPTION.bootServers);
  const bootServers =
    servers && readItems(servers, 4, (addresses) => ({ addresses: addressesIn(addresses) }));
  const items = subOptions.get(SUB_OPTION.menu);
  const menu = items && readItems(items, 1, (label) => ({ label: latin1(label) }));
  const prompt = subOptions.get(SUB_OPTION.prompt);
  const [timeoutSeconds] = prompt ?? [];
  const item = subOptions.get(SUB_OPTION.bootItem);
  return {
    ...(discoveryControl === undefined ? {} : { discoveryControl }),
    ...(bootServers ? { bootServers } : {}),
    ...(menu ? { menu } : {}),
    ...(prompt && timeoutSeconds !== undefined
      ? { prompt: { timeoutSeconds, label: latin1(prompt.subarray(1)) } }
      : {}),
    ...(item?.length === 4 ? { bootItem: { type: uint16At(item, 0), layer: uint16At(item, 2) } } : {}),
  };
}

/** Items of a 16-bit type, a count, and as many units as it says. */
function readItems<Item>(
  value: Uint8Array,
  unitBytes: number,
  read: (units: Uint8Array) => Item,
): readonly ({ readonly type: number } & Item)[] | undefined {
  const items: ({ readonly type: number } & Item)[] = [];
  for (let at = 0; at < value.length; ) {
    const endAt = at + 3 + (value[at + 2] ?? 0) * unitBytes;
    if (at + 3 > value.length || endAt > value.length) return undefined;
    items.push({ type: uint16At(value, at), ...read(value.subarray(at + 3, endAt)) });
    at = endAt;
  }
  return items;
}

function addressesIn(bytes: Uint8Array): readonly string[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => ipv4FromBytes(bytes, index * 4));
}

import { uint16At } from '../octets.ts';
import { DEFAULT_MAX_BYTES } from '../packet.ts';
import { OPTION } from './numbers.ts';
import { type DhcpOptions, option } from './option.ts';

const IP_AND_UDP_BYTES = 28;
const ETHERNET_MTU_BYTES = 1500;

/** The longest message the client takes, in bytes (RFC 2132 section 9.10). */
export const maxMessageBytes = option<number>(
  OPTION.maxMessageBytes,
  (value) => (value.length === 2 ? uint16At(value, 0) : undefined),
  (bytes) => {
    if (bytes < 576 || bytes > 0xffff)
      throw new RangeError(`a maximum of ${bytes} bytes is not 576 to 65535`);
    return Uint8Array.of(bytes >> 8, bytes);
  },
);

/**
 * The UDP payload a reply may take: encode's `maxBytes`. Implementations disagree whether option 57 counts the IP and
 * UDP headers, so they are taken off; OVMF offers 65280, so one Ethernet frame is the limit: ROMs join no fragments.
 */
export function maxReplyBytes(options: DhcpOptions): number {
  const offeredBytes = maxMessageBytes.read(options) ?? 0;
  return Math.max(DEFAULT_MAX_BYTES, Math.min(offeredBytes, ETHERNET_MTU_BYTES) - IP_AND_UDP_BYTES);
}

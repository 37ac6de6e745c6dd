import { ipv4FromBytes } from '../addresses.ts';
import { readSubOptions } from '../tlv.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/** What the relay says of the client's place. A sub-option that makes no sense reads as absent. */
export interface RelayAgent {
  readonly circuitId: Uint8Array | undefined;
  readonly remoteId: Uint8Array | undefined;
  /** The client's subnet, when giaddr is not on it (RFC 3527). */
  readonly linkSelection: string | undefined;
  /** The address that replies give as server identifier (RFC 5107). */
  readonly serverOverride: string | undefined;
  /** Replies go to the request's UDP source port instead of 67 (RFC 8357 section 5). */
  readonly relaySourcePort: boolean;
  /** The whole value, to be echoed byte by byte. */
  readonly raw: Uint8Array;
}

const SUB_OPTION = { circuitId: 1, remoteId: 2, linkSelection: 5, serverOverride: 11, relaySourcePort: 19 };

/** RFC 3046: written verbatim, and only to a client whose request carried it. */
export const relayAgent = option<RelayAgent, Pick<RelayAgent, 'raw'>>(
  OPTION.relayAgent,
  (raw) => {
    const subOptions = readSubOptions(raw, 'bare');
    return {
      circuitId: subOptions?.get(SUB_OPTION.circuitId),
      remoteId: subOptions?.get(SUB_OPTION.remoteId),
      linkSelection: addressIn(subOptions?.get(SUB_OPTION.linkSelection)),
      serverOverride: addressIn(subOptions?.get(SUB_OPTION.serverOverride)),
      relaySourcePort: subOptions?.has(SUB_OPTION.relaySourcePort) ?? false,
      raw,
    };
  },
  ({ raw }) => raw,
);

function addressIn(value: Uint8Array | undefined): string | undefined {
  return value?.length === 4 ? ipv4FromBytes(value) : undefined;
}

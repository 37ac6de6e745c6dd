import { hex, joined } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/** `type` is a hardware type (1 with a MAC in `id`), 0 for free text, or 255 for a DUID (RFC 4361). */
export interface ClientId {
  readonly type: number;
  readonly id: Uint8Array;
}

/** RFC 2132 section 9.14. Replies echo the raw value (RFC 6842). It is no lease key: it changes per boot stage (quirk 21). */
export const clientId = option<ClientId>(
  OPTION.clientId,
  (value) => {
    const [type] = value;
    return type === undefined || value.length < 2 ? undefined : { type, id: value.subarray(1) };
  },
  ({ type, id }) => joined([Uint8Array.of(type), id]),
);

/** `01:525400aa0001`, to read in a journal. */
export function formatClientId({ type, id }: ClientId): string {
  return `${hex(Uint8Array.of(type))}:${hex(id)}`;
}

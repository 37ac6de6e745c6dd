import { sha256Of } from '@bootswarm/images/format';

/** A UUID (RFC 9562, version 8) that follows from a text: whoever begins an installation again makes the same one. */
export function identityUuid(text: string): string {
  const hex = sha256Of(`bootswarm identity ${text}`);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

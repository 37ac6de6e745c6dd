import { uint16At } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/** Numbers of the IANA registry "Processor Architecture Types", best first (RFC 4578 section 2.1). */
export const clientArchitectures = option<readonly number[]>(
  OPTION.clientArchitectures,
  (value) => {
    if (value.length === 0 || value.length % 2 !== 0) return undefined;
    return Array.from({ length: value.length / 2 }, (_, index) => uint16At(value, index * 2));
  },
  (architectures) => Uint8Array.from(architectures.flatMap((number) => [number >> 8, number & 255])),
);

export interface UndiVersion {
  readonly major: number;
  readonly minor: number;
}

/** RFC 4578 section 2.2: type 1 (UNDI), then the version. */
export const undiVersion = option<UndiVersion>(
  OPTION.undiVersion,
  ([type, major, minor]) =>
    type === 1 && major !== undefined && minor !== undefined ? { major, minor } : undefined,
  ({ major, minor }) => Uint8Array.of(1, major, minor),
);

import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/** Option codes that the client would like (RFC 2132 section 9.8): advisory, firmware leaves out what it needs. */
export const parameterList = option<readonly number[]>(
  OPTION.parameterList,
  (value) => Array.from(value),
  (codes) => Uint8Array.from(codes),
);

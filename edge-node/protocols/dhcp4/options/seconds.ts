import { putUint32, uint32At } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { type Option, option } from './option.ts';

/** The value that means "never" (RFC 2131 section 3.3). */
export const FOREVER_SECONDS = 0xffffffff;

/** RFC 2132 section 9.2. */
export const leaseSeconds = seconds(OPTION.leaseSeconds);
/** T1 (RFC 2132 section 9.11). */
export const renewalSeconds = seconds(OPTION.renewalSeconds);
/** T2 (RFC 2132 section 9.12). */
export const rebindingSeconds = seconds(OPTION.rebindingSeconds);

function seconds(code: number): Option<number> {
  return option(
    code,
    (value) => (value.length === 4 ? uint32At(value, 0) : undefined),
    (count) => {
      if (count !== count >>> 0) throw new RangeError(`${count} is not a 32-bit count of seconds`);
      const value = new Uint8Array(4);
      putUint32(value, 0, count);
      return value;
    },
  );
}

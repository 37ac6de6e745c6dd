import { fromLatin1, latin1 } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { type Option, option } from './option.ts';

/** RFC 2132 section 3.14. What a client calls itself is hostile text. */
export const hostName = text(OPTION.hostName);
/** RFC 2132 section 3.17. */
export const domainName = text(OPTION.domainName);
/** Why a NAK (RFC 2132 section 9.9). */
export const message = text(OPTION.message);
/** `PXEClient:Arch:00007:UNDI:003000` in requests, `PXEClient` or `HTTPClient` in replies (RFC 2132 section 9.13). */
export const vendorClass = text(OPTION.vendorClass);
/** RFC 2132 section 9.4. */
export const tftpServerName = text(OPTION.tftpServerName);
/** RFC 2132 section 9.5. Ends with NUL, as old UNDI code reads past the option's length (quirk 3). */
export const bootFile = text(OPTION.bootFile, '\0');

/** Reads without trailing NULs, which RFC 2132 section 2 tells receivers to expect. */
function text(code: number, ending = ''): Option<string> {
  return option(
    code,
    (value) => latin1(value.subarray(0, value.findLastIndex((byte) => byte !== 0) + 1)),
    (characters) => fromLatin1(characters + ending),
  );
}

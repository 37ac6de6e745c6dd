import { z } from 'zod';
import { isIpv4, parseSubnet } from './ipv4.ts';

/** How operators name segments and edges. It stands in URLs and file names, hence the narrow alphabet. */
export const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 - and start with a letter or digit');

export const Ipv4 = z.string().refine(isIpv4, 'must be an IPv4 address such as 10.1.2.3');

export const Cidr = z.string().refine((text) => {
  try {
    const { prefixLength } = parseSubnet(text);
    return prefixLength >= 8 && prefixLength <= 30;
  } catch {
    return false;
  }
}, 'must be an IPv4 subnet between /8 and /30 such as 10.1.2.0/24');

const MAC_SPELLINGS = /^([0-9a-f]{2}([:-]?)[0-9a-f]{2}(\2[0-9a-f]{2}){4}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$/i;

/**
 * Accepts `AA-BB-..`, `aa:bb:..`, `aabb.ccdd.eeff` and `aabb..`, kept as `aa:bb:cc:dd:ee:ff`. Nothing looser: a
 * slip of the finger must not name another machine.
 */
export const Mac = z
  .string()
  .regex(MAC_SPELLINGS, 'must be a MAC address such as 52:54:00:12:34:56')
  .transform((text) =>
    text
      .toLowerCase()
      .replace(/[:.-]/g, '')
      .replace(/(..)(?=.)/g, '$1:'),
  );

/** The SMBIOS UUID as `dmidecode` and iPXE's `${uuid}` print it, in lower case. */
export const Uuid = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID');

/** UTC, ISO 8601, with milliseconds as `toISOString` writes them: so the order of texts is the order of time. */
export const Instant = z.iso.datetime({ precision: 3 });

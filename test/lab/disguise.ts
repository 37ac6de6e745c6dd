/** RFC 2131: option fields begin here in the UDP payload, behind the fixed fields and the cookie. */
const OPTIONS = 240;
/** Where iPXE 1.0.0 writes these two options: its packets begin with the same options, always of the same length. */
const USER_CLASS = OPTIONS + 50;
const ENCAPSULATED = OPTIONS + 81;
const UDP_HEADER = 8;

/**
 * A ruleset that makes iPXE option ROMs look like another maker's. No BIOS machine of QEMU has a PXE ROM that isn't
 * iPXE. So the codes of user-class (77) and of iPXE's own option (175) are overwritten with codes for private use
 * (RFC 3942), by which nobody knows iPXE. Who has fetched a file by TFTP since is no ROM any more, and is left as it is.
 */
export function disguiseRules(table: string): string {
  const at = (byte: number, bits = 8): string => `@th,${(UDP_HEADER + byte) * 8},${bits}`;
  // 77, 4 bytes, `iPXE`: no other packet is touched.
  const isIpxe = `${at(USER_CLASS, 48)} 0x4d0469505845 ${at(ENCAPSULATED)} 175`;
  return `table bridge ${table} {
    set chained { type ether_addr; flags dynamic; size 1024; }
    chain prerouting {
      type filter hook prerouting priority 0;
      udp dport 69 add @chained { ether saddr }
      ether saddr @chained accept
      udp dport 67 ${isIpxe} ${at(USER_CLASS)} set 224 ${at(ENCAPSULATED)} set 225 udp checksum set 0
    }
  }`;
}

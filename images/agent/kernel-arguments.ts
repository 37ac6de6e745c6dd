/** What an edge told the agent by the kernel's command line. */
export interface AgentArguments {
  /** Address of the edge, such as `http://10.1.2.1:8480`. */
  readonly edgeUrl: string | undefined;
  /** Of the card that the machine booted by: lower case, colons. */
  readonly mac: string | undefined;
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/**
 * Reads /proc/cmdline. `BOOTIF` is 01 (Ethernet) and the MAC, as PXELINUX wrote it first; GRUB and iPXE do the same.
 * What cannot be understood is passed over: without it the agent asks DHCP, and tries every card.
 */
export function parseArguments(commandLine: string): AgentArguments {
  const values = new Map(
    commandLine
      .trim()
      .split(/\s+/)
      .map((word) => {
        const equals = word.indexOf('=');
        return equals < 0
          ? ([word, ''] as const)
          : ([word.slice(0, equals), word.slice(equals + 1)] as const);
      }),
  );
  const url = URL.parse(values.get('bootswarm.edge') ?? '');
  const bootif = (values.get('BOOTIF') ?? '').replace(/^01-/, '');
  const macs = [values.get('bootswarm.mac') ?? '', bootif].map((mac) =>
    mac.toLowerCase().replaceAll('-', ':'),
  );
  return {
    edgeUrl: url !== null && /^https?:$/.test(url.protocol) ? url.origin : undefined,
    mac: macs.find((mac) => MAC.test(mac)),
  };
}

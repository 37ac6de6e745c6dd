/** What an edge or a medium told the agent by the kernel's command line. */
export interface AgentArguments {
  /** Address of the edge, such as `http://10.1.2.1:8480`. */
  readonly edgeUrl: string | undefined;
  /** Of the card that the machine booted by: lower case, colons. */
  readonly mac: string | undefined;
  /** To install from, without an edge. */
  readonly medium: MediumArguments | undefined;
}

/** What the boot menu of a medium told. */
interface MediumArguments {
  /** Its identity. */
  readonly id: string;
  /** From when the plan is shown until it is carried out. */
  readonly waitSeconds: number;
}

const WAIT_SECONDS = 30;
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
  const medium = values.get('bootswarm.medium') ?? '';
  const wait = values.get('bootswarm.wait') ?? '';
  const macs = [values.get('bootswarm.mac') ?? '', bootif].map((mac) =>
    mac.toLowerCase().replaceAll('-', ':'),
  );
  return {
    edgeUrl: url !== null && /^https?:$/.test(url.protocol) ? url.origin : undefined,
    mac: macs.find((mac) => MAC.test(mac)),
    medium: /^[0-9a-f]{16}$/.test(medium)
      ? { id: medium, waitSeconds: /^\d{1,5}$/.test(wait) ? Number(wait) : WAIT_SECONDS }
      : undefined,
  };
}

import { numberToIpv4, parseSubnet, type Segment } from '@bootswarm/controller/contract';
import {
  BOOT_FROM_FILE,
  bootFile as bootFileOption,
  broadcastAddress,
  type DhcpOptions,
  type DhcpPacket,
  domainName,
  ipxe,
  leaseSeconds,
  message,
  messageType,
  nameServers,
  OPTION,
  pxeVendor,
  rebindingSeconds,
  renewalSeconds,
  routers,
  serverId,
  subnetMask,
  tftpServerName,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import type { BootFile } from './boot-file.ts';
import type { Situation } from './dhcp.ts';

type Written = readonly [code: number, value: Uint8Array];

/** Sent back as they came: RFC 6842 (61), RFC 4578 (97), RFC 3046 (82). */
const ECHOED = [OPTION.clientId, OPTION.machineId, OPTION.relayAgent];
/** `file` holds 127 bytes and a NUL. */
const FILE_BYTES_MOST = 127;

/** @param address the lease's; undefined answers an INFORM, which gets no lease. */
export function renderReply(
  type: 'OFFER' | 'ACK',
  { packet, segment, serverAddress }: Situation,
  address: string | undefined,
  bootFile: BootFile | undefined,
): DhcpPacket {
  const options = new Map<number, Uint8Array>([
    messageType.write(type),
    serverId.write(serverAddress),
    ...(address === undefined ? [] : leaseOptions(segment)),
    ...networkOptions(segment),
    ...bootOptions(bootFile, serverAddress),
    ...echoed(packet.options),
  ]);
  const file = fileOf(bootFile);
  return {
    ...replyTo(packet),
    ciaddr: type === 'OFFER' ? '0.0.0.0' : packet.ciaddr,
    yiaddr: address ?? '0.0.0.0',
    // Firmware takes the TFTP server from here, whatever option 66 says (quirk 1).
    siaddr: bootFile === undefined || bootFile.kind === 'none' ? '0.0.0.0' : serverAddress,
    file: file.length <= FILE_BYTES_MOST ? file : '',
    options,
  };
}

export function renderNak({ packet, serverAddress }: Situation, reason: string): DhcpPacket {
  const options = new Map<number, Uint8Array>([
    messageType.write('NAK'),
    serverId.write(serverAddress),
    message.write(reason),
    ...echoed(packet.options),
  ]);
  // Behind a relay the B flag makes the relay broadcast it (RFC 2131, section 4.3.2).
  return { ...replyTo(packet), broadcast: packet.broadcast || packet.giaddr !== '0.0.0.0', options };
}

function replyTo(packet: DhcpPacket): Omit<DhcpPacket, 'options'> {
  const { htype, hlen, xid, broadcast, giaddr, chaddr } = packet;
  const none = '0.0.0.0';
  return {
    op: 'reply',
    htype,
    hlen,
    hops: 0,
    xid,
    secs: 0,
    broadcast,
    ciaddr: none,
    yiaddr: none,
    siaddr: none,
    giaddr,
    chaddr,
    sname: '',
    file: '',
  };
}

/** T1 and T2 at the fractions that RFC 2131, section 4.4.5, proposes. */
function leaseOptions(segment: Segment): readonly Written[] {
  return [
    leaseSeconds.write(segment.leaseSeconds),
    renewalSeconds.write(Math.floor(segment.leaseSeconds * 0.5)),
    rebindingSeconds.write(Math.floor(segment.leaseSeconds * 0.875)),
  ];
}

function networkOptions({ subnet, router, dnsServers, domain }: Segment): readonly Written[] {
  const { netmask, broadcast } = parseSubnet(subnet);
  return [
    subnetMask.write(netmask),
    broadcastAddress.write(numberToIpv4(broadcast)),
    ...(router === undefined ? [] : [routers.write([router])]),
    ...(dnsServers.length === 0 ? [] : [nameServers.write(dnsServers)]),
    ...(domain === undefined ? [] : [domainName.write(domain)]),
  ];
}

function bootOptions(bootFile: BootFile | undefined, serverAddress: string): readonly Written[] {
  switch (bootFile?.kind) {
    case 'script':
      return [bootFileOption.write(bootFile.url), ipxe.write({ noPxeDhcp: true })];
    case 'tftp':
      return [
        // Without 43.6=8 firmware that sees 60 looks for a boot server on port 4011 (quirk 4).
        vendorClass.write('PXEClient'),
        pxeVendor.write({ discoveryControl: BOOT_FROM_FILE }),
        tftpServerName.write(serverAddress),
        bootFileOption.write(bootFile.file),
      ];
    case 'http':
      // The offer is passed over without the echo (quirk 6).
      return [vendorClass.write('HTTPClient'), bootFileOption.write(bootFile.url)];
    default:
      return [];
  }
}

function fileOf(bootFile: BootFile | undefined): string {
  switch (bootFile?.kind) {
    case 'script':
    case 'http':
      return bootFile.url;
    case 'tftp':
      return bootFile.file;
    default:
      return '';
  }
}

function echoed(options: DhcpOptions): readonly Written[] {
  return ECHOED.flatMap((code) => {
    const value = options.get(code);
    return value === undefined ? [] : [[code, value] as const];
  });
}

import {
  BOOT_FROM_FILE,
  bootFile as bootFileOption,
  type DhcpOptions,
  type DhcpPacket,
  encode,
  ipxe,
  isBootp,
  leaseSeconds,
  maxReplyBytes,
  message,
  messageType,
  OPTION,
  type PxeVendorOptions,
  parameterList,
  pxeVendor,
  rebindingSeconds,
  renewalSeconds,
  serverId as serverIdOption,
  tftpServerName,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import type { BootFile } from './boot-file.ts';
import { layer, layered, withMicrosoftRoutes } from './options.ts';
import type { Situation } from './situation.ts';

type Written = readonly [code: number, value: Uint8Array];

/** Sent back as they came: RFC 6842 (61), RFC 4578 (97), RFC 3046 (82). */
const ECHOED = [OPTION.clientId, OPTION.machineId, OPTION.relayAgent];
/** `file` holds 127 bytes and a NUL. */
const FILE_BYTES_MOST = 127;
/** What a machine cannot do without; the rest goes where a reply would be too long for its client. */
const ESSENTIAL: ReadonlySet<number> = new Set([
  OPTION.messageType,
  OPTION.serverId,
  OPTION.leaseSeconds,
  OPTION.subnetMask,
  OPTION.routers,
  OPTION.nameServers,
  OPTION.classlessRoutes,
  OPTION.vendorClass,
  OPTION.vendorOptions,
  OPTION.bootFile,
  OPTION.ipxe,
  ...ECHOED,
]);

/** A BOOTREPLY is no longer than this, and option 52 means nothing to its reader (RFC 951; RFC 1534, section 2). */
const BOOTP_BYTES = 300;
/** Of the 60 bytes that it has for options. */
const BOOTP_ESSENTIAL: ReadonlySet<number> = new Set([OPTION.subnetMask, OPTION.routers, ...ECHOED]);

/**
 * What a Raspberry Pi's boot ROM wants to read before it fetches its files (quirk 19): a menu of one item, taken
 * at once, from this server alone.
 */
const RASPBERRY_PI_BOOT: PxeVendorOptions = {
  discoveryControl: 3,
  menu: [{ type: 0, label: 'Raspberry Pi Boot' }],
  prompt: { timeoutSeconds: 0, label: 'PXE' },
};

/** @param address the lease's; undefined where none is given: to an INFORM. */
export function renderReply(
  type: 'OFFER' | 'ACK',
  situation: Situation,
  address: string | undefined,
  bootFile: BootFile | undefined,
): DhcpPacket {
  const { packet, served, terms, serverId } = situation;
  const options = new Map<number, Uint8Array>();
  put(options, messageType.write(type), serverIdOption.write(serverId));
  if (address !== undefined) put(options, ...leaseOptions(served.segment.leaseSeconds));
  layer(terms.levels, options);
  withMicrosoftRoutes(options, packet.options);
  put(options, ...bootOptions(bootFile, situation), ...echoed(packet.options));
  return {
    ...replyTo(packet),
    ...bootFields(bootFile, situation),
    ciaddr: type === 'ACK' ? packet.ciaddr : '0.0.0.0',
    yiaddr: address ?? '0.0.0.0',
    options,
  };
}

/** What to boot and nothing else: beside another server, which says all about the network, and on port 4011. */
export function renderBootReply(
  type: 'OFFER' | 'ACK',
  situation: Situation,
  bootFile: Exclude<BootFile, { readonly kind: 'none' }>,
): DhcpPacket {
  const { packet, serverId } = situation;
  return {
    ...replyTo(packet),
    ...bootFields(bootFile, situation),
    ciaddr: type === 'ACK' ? packet.ciaddr : '0.0.0.0',
    options: new Map([
      messageType.write(type),
      serverIdOption.write(serverId),
      // Whoever looks for a proxyDHCP server, iPXE too, passes over what does not call itself one.
      ...(bootFile.kind === 'script' ? pxeOptions(packet.options) : []),
      ...bootOptions(bootFile, situation),
      ...echoed(packet.options),
    ]),
  };
}

/** A BOOTREPLY: no option of DHCP and none of PXE (RFC 1534, section 2); file and siaddr say what to boot. */
export function renderBootp(
  situation: Situation,
  address: string,
  bootFile: BootFile | undefined,
): DhcpPacket {
  const { packet, terms } = situation;
  return {
    ...replyTo(packet),
    ...bootFields(bootFile, situation),
    ciaddr: packet.ciaddr,
    yiaddr: address,
    options: new Map([...layered(terms.levels), ...echoed(packet.options)]),
  };
}

export function renderNak({ packet, serverId }: Situation, reason: string): DhcpPacket {
  const options = new Map<number, Uint8Array>([
    messageType.write('NAK'),
    serverIdOption.write(serverId),
    message.write(reason),
    ...echoed(packet.options),
  ]);
  // Behind a relay the B flag makes the relay broadcast it (RFC 2131, section 4.3.2).
  return { ...replyTo(packet), broadcast: packet.broadcast || packet.giaddr !== '0.0.0.0', options };
}

/**
 * The reply as bytes: with all of its options where the client takes so many, else with those that it asked for,
 * else with what it cannot do without. Undefined where the client echoes more at us than its reply can hold.
 */
export function encodeReply(reply: DhcpPacket, request: DhcpPacket): Uint8Array | undefined {
  const limits = isBootp(request)
    ? { maxBytes: BOOTP_BYTES, mayOverload: false }
    : { maxBytes: maxReplyBytes(request.options) };
  const whole = encoded(reply, limits);
  if (whole) return whole;
  const asked = new Set(parameterList.read(request.options));
  const isWished = [
    (code: number) => ESSENTIAL.has(code) || asked.has(code),
    (code: number) => ESSENTIAL.has(code),
    ...(isBootp(request) ? [(code: number) => BOOTP_ESSENTIAL.has(code)] : []),
  ];
  for (const wished of isWished) {
    const options = new Map([...reply.options].filter(([code]) => wished(code)));
    const shorter = encoded({ ...reply, options }, limits);
    if (shorter) return shorter;
  }
  return undefined;
}

function put(options: Map<number, Uint8Array>, ...written: readonly Written[]): void {
  for (const [code, value] of written) options.set(code, value);
}

function encoded(reply: DhcpPacket, limits: Parameters<typeof encode>[1]): Uint8Array | undefined {
  try {
    return encode(reply, limits);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
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
function leaseOptions(seconds: number): readonly Written[] {
  return [
    leaseSeconds.write(seconds),
    renewalSeconds.write(Math.floor(seconds * 0.5)),
    rebindingSeconds.write(Math.floor(seconds * 0.875)),
  ];
}

function bootOptions(
  bootFile: BootFile | undefined,
  { packet, serverAddress }: Situation,
): readonly Written[] {
  switch (bootFile?.kind) {
    case 'script':
      return [bootFileOption.write(bootFile.url), ipxe.write({ noPxeDhcp: true })];
    case 'tftp':
      return [
        ...pxeOptions(packet.options),
        tftpServerName.write(serverAddress),
        bootFileOption.write(bootFile.file),
      ];
    case 'raspberry-pi':
      return [
        vendorClass.write('PXEClient'),
        pxeVendor.write(RASPBERRY_PI_BOOT),
        tftpServerName.write(serverAddress),
      ];
    case 'http':
      // The offer is passed over without the echo (quirk 6).
      return [vendorClass.write('HTTPClient'), bootFileOption.write(bootFile.url)];
    default:
      return [];
  }
}

/** Without 43.6=8 firmware that sees 60 looks for a boot server on port 4011 (quirk 4). */
function pxeOptions(asked: DhcpOptions): readonly Written[] {
  return [
    vendorClass.write('PXEClient'),
    pxeVendor.write({ discoveryControl: BOOT_FROM_FILE, ...pickedItem(asked) }),
  ];
}

/** The server type that the client picked from a menu is named again in the answer (PXE 2.1, table 2-1). */
function pickedItem(asked: DhcpOptions): Pick<PxeVendorOptions, 'bootItem'> {
  const item = pxeVendor.read(asked)?.bootItem;
  return item ? { bootItem: item } : {};
}

/** Firmware takes the TFTP server from siaddr, whatever option 66 says (quirk 1), and some the file (quirk 2). */
function bootFields(
  bootFile: BootFile | undefined,
  { serverAddress }: Situation,
): Pick<DhcpPacket, 'siaddr' | 'file'> {
  const file = fileOf(bootFile);
  return {
    siaddr: bootFile === undefined || bootFile.kind === 'none' ? '0.0.0.0' : serverAddress,
    file: file.length <= FILE_BYTES_MOST ? file : '',
  };
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
  const written: Written[] = [];
  for (const code of ECHOED) {
    const value = options.get(code);
    if (value !== undefined) written.push([code, value]);
  }
  return written;
}

import {
  bootFile,
  clientArchitectures,
  clientId,
  type DhcpPacket,
  hostName,
  leaseSeconds,
  type MessageType,
  machineId,
  maxMessageBytes,
  messageType,
  OPTION,
  parameterList,
  requestedAddress,
  requestOf,
  routers,
  serverId,
  undiVersion,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import type { MachineSpec } from './machine-spec.ts';

/** Who of a machine asks for an address: one after the other, on its way up. */
export type Asker = 'firmware' | 'ipxe' | 'agent' | 'system';

export interface Ask {
  readonly asker: Asker;
  readonly spec: Pick<MachineSpec, 'mac' | 'uuid' | 'firmware' | 'name'>;
  readonly xid: number;
  readonly type: Extract<MessageType, 'DISCOVER' | 'REQUEST'>;
  /** Of a REQUEST: what was offered, and by whom. */
  readonly offered?: { readonly address: string; readonly server: string };
}

/** What a lease says that a machine goes by. */
export interface Grant {
  readonly address: string;
  readonly server: string;
  /** Where boot files are; the server where it names nobody. */
  readonly nextServer: string;
  readonly router: string | undefined;
  readonly bootFile: string;
  readonly seconds: number;
}

/** RFC 4578, section 2.1: a BIOS, and x64 UEFI. */
const ARCHITECTURE = { bios: 0, uefi: 7 } as const;
const FIRMWARE_WANTS = [
  1, 2, 3, 4, 5, 6, 12, 13, 15, 43, 54, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135,
];
const IPXE_WANTS = [
  ...[1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119],
  ...[128, 129, 130, 131, 132, 133, 134, 135, 175, 203],
];
const SYSTEM_WANTS = [1, 3, 6, 12, 15, 26, 28, 42, 121];
/** Features of the iPXE that Debian packs, and its version 1.0.0, as in captures/bios.pcap. */
const IPXE_FEATURES = [17, 19, 21, 23, 24, 33, 34, 39, 41].flatMap((feature) => [feature, 1, 1]);
const IPXE_OPTION = Uint8Array.from([...IPXE_FEATURES, 235, 3, 1, 0, 0]);

/**
 * A message as this asker of a machine sends it. It asks for a broadcast answer, as firmware without a raw receiver does
 * (RFC 2131, section 4.1): one host plays many machines, and takes no unicast for an address before it has it. Pure.
 */
export function askPacket({ asker, spec, xid, type, offered }: Ask): DhcpPacket {
  const chaddr = Uint8Array.from(spec.mac.split(':'), (octet) => Number.parseInt(octet, 16));
  const options = new Map([
    messageType.write(type),
    ...(offered ? [requestedAddress.write(offered.address), serverId.write(offered.server)] : []),
    ...optionsOf(asker, spec, chaddr),
  ]);
  return requestOf(chaddr, { xid, broadcast: true, options });
}

type Written = readonly [code: number, value: Uint8Array];

function optionsOf(
  asker: Asker,
  { firmware, uuid, name }: Ask['spec'],
  chaddr: Uint8Array,
): readonly Written[] {
  const architecture = ARCHITECTURE[firmware];
  const boot: readonly Written[] = [
    maxMessageBytes.write(1472),
    clientArchitectures.write([architecture]),
    undiVersion.write(firmware === 'bios' ? { major: 2, minor: 1 } : { major: 3, minor: 16 }),
    machineId.write(uuid),
    vendorClass.write(
      `PXEClient:Arch:${String(architecture).padStart(5, '0')}:UNDI:${firmware === 'bios' ? '002001' : '003016'}`,
    ),
  ];
  const ownId = clientId.write({ type: 1, id: chaddr });
  switch (asker) {
    case 'firmware':
      return [...boot, parameterList.write(FIRMWARE_WANTS)];
    case 'ipxe':
      return [
        ...boot,
        ownId,
        // Raw, as iPXE sends it, and not length-prefixed as RFC 3004 has it.
        [OPTION.userClasses, Buffer.from('iPXE', 'latin1')],
        [OPTION.ipxe, IPXE_OPTION],
        parameterList.write(IPXE_WANTS),
      ];
    case 'agent':
      return [
        vendorClass.write('bootswarm-agent'),
        ownId,
        machineId.write(uuid),
        parameterList.write(SYSTEM_WANTS),
      ];
    case 'system':
      return [ownId, hostName.write(name), parameterList.write(SYSTEM_WANTS)];
  }
}

/** What an ACK gives, or an OFFER would; undefined where the answer is neither, or names no server. Pure. */
export function grantIn(reply: DhcpPacket, wanted: 'OFFER' | 'ACK'): Grant | undefined {
  const { options, yiaddr, siaddr, file } = reply;
  const server = serverId.read(options);
  if (messageType.read(options) !== wanted || server === undefined || yiaddr === '0.0.0.0') return undefined;
  return {
    address: yiaddr,
    server,
    nextServer: siaddr === '0.0.0.0' ? server : siaddr,
    router: routers.read(options)?.[0],
    bootFile: bootFile.read(options) ?? file,
    seconds: leaseSeconds.read(options) ?? 0,
  };
}

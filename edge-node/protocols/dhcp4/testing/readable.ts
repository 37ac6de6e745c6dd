import {
  bootFile,
  broadcastAddress,
  clientArchitectures,
  clientId,
  type DhcpPacket,
  formatClientId,
  formatMac,
  ipxe,
  leaseSeconds,
  machineId,
  maxMessageBytes,
  messageType,
  OPTION,
  parameterList,
  rebindingSeconds,
  renewalSeconds,
  requestedAddress,
  routers,
  serverId,
  subnetMask,
  undiVersion,
  userClasses,
  vendorClass,
} from '../index.ts';

type Options = DhcpPacket['options'];

const READERS: Record<number, (options: Options) => unknown> = Object.fromEntries(
  [
    bootFile,
    broadcastAddress,
    clientArchitectures,
    leaseSeconds,
    machineId,
    maxMessageBytes,
    messageType,
    rebindingSeconds,
    renewalSeconds,
    requestedAddress,
    routers,
    serverId,
    subnetMask,
    userClasses,
    vendorClass,
  ].map((option) => [option.code, (options: Options) => option.read(options)]),
);
READERS[clientId.code] = (options) => {
  const id = clientId.read(options);
  return id && formatClientId(id);
};
READERS[parameterList.code] = (options) => parameterList.read(options)?.join(' ');
READERS[undiVersion.code] = (options) => {
  const version = undiVersion.read(options);
  return version && `${version.major}.${version.minor}`;
};
READERS[ipxe.code] = (options) => {
  const client = ipxe.read(options);
  return client && { version: client.version ?? null, features: [...client.features].join(' ') };
};

/** A packet as JSON that a person can check: options by name, by meaning and, where that says less, in hexadecimal. */
export function readable(packet: DhcpPacket): Record<string, unknown> {
  const names = new Map<number, string>(Object.entries(OPTION).map(([name, code]) => [code, name]));
  const options = Array.from(packet.options, ([code, value]) => [
    `${code} ${names.get(code) ?? 'unnamed'}`,
    READERS[code]?.(packet.options) ?? `0x${Buffer.from(value).toString('hex')}`,
  ]);
  return { ...packet, chaddr: formatMac(packet.chaddr), options: Object.fromEntries(options) };
}

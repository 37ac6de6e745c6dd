/** DHCP for IPv4 as bytes: packets, options and addresses. Pure; sockets and decisions are the service's. */
export { formatMac, ipv4FromNumber, ipv4ToNumber } from './addresses.ts';
export {
  broadcastAddress,
  nameServers,
  ntpServers,
  requestedAddress,
  routers,
  serverId,
  subnetMask,
  subnetSelection,
  tftpServers,
} from './options/addresses.ts';
export { clientArchitectures, type UndiVersion, undiVersion } from './options/architecture.ts';
export { classlessRoutes, microsoftRoutes, type Route } from './options/classless-routes.ts';
export { type ClientId, clientId, formatClientId } from './options/client-id.ts';
export { domainSearch } from './options/domain-search.ts';
export { type IpxeClient, type IpxeFeature, type IpxeReply, ipxe } from './options/ipxe.ts';
export { machineId } from './options/machine-id.ts';
export { maxMessageBytes, maxReplyBytes } from './options/max-message.ts';
export { type MessageType, messageType } from './options/message-type.ts';
export { OPTION } from './options/numbers.ts';
export type { DhcpOptions, Option } from './options/option.ts';
export { parameterList } from './options/parameter-list.ts';
export { BOOT_FROM_FILE, type PxeVendorOptions, pxeVendor } from './options/pxe-vendor.ts';
export { type RelayAgent, relayAgent } from './options/relay-agent.ts';
export { FOREVER_SECONDS, leaseSeconds, rebindingSeconds, renewalSeconds } from './options/seconds.ts';
export {
  bootFile,
  domainName,
  hostName,
  message,
  tftpServerName,
  vendorClass,
} from './options/text.ts';
export { userClasses } from './options/user-class.ts';
export {
  type Decoded,
  type DhcpPacket,
  decode,
  encode,
  isBootp,
  type MalformedReason,
} from './packet.ts';
export { requestOf } from './request.ts';

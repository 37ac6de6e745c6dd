/** TFTP as bytes, terms and steps. Pure; sockets, timers and files are the service's. */
export { netascii } from './netascii.ts';
export { type Caps, negotiate, type Terms } from './options.ts';
export {
  type Decoded,
  decode,
  ERROR,
  encode,
  type MalformedReason,
  type TftpMode,
  type TftpOptions,
  type TftpPacket,
} from './packet.ts';
export {
  begin,
  type Ending,
  hasSentAll,
  type Outgoing,
  onPacket,
  onTimeout,
  type Step,
  type Transfer,
} from './transfer.ts';

import { OPTION } from './numbers.ts';
import { option } from './option.ts';

const MESSAGE_TYPES = ['DISCOVER', 'OFFER', 'REQUEST', 'DECLINE', 'ACK', 'NAK', 'RELEASE', 'INFORM'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** RFC 2132 section 9.6. Later types (leasequery and others) read as undefined. */
export const messageType = option<MessageType>(
  OPTION.messageType,
  (value) => (value.length === 1 ? MESSAGE_TYPES[(value[0] ?? 0) - 1] : undefined),
  (type) => Uint8Array.of(MESSAGE_TYPES.indexOf(type) + 1),
);

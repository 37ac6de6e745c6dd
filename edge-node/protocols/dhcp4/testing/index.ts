/** For tests alone: packets of real firmware, packets made up, and both as readable JSON. */
export { bytesFrom, optionsOf, rawRequest, requestWith } from './packets.ts';
export { type Datagram, readPcap } from './pcap.ts';
export { readable } from './readable.ts';

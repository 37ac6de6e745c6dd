/** `first-offer.ts SERVER LOCAL`: as a relay at LOCAL, asks for machines that nobody knows, one after the other. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type DhcpPacket, encode, messageType, requestOf } from '@bootswarm/edge-node/dhcp4';
import { median } from './bench.ts';

const MACHINES = 200;
const WARM_UP = 20;
const RELAY_PORT = 67;
const [server = '', local = ''] = process.argv.slice(2);

const socket = createSocket('udp4');
socket.bind(RELAY_PORT, local);
await once(socket, 'listening');
const delays: number[] = [];
// A run of its own: a machine that was seen before is no first offer.
const run = process.pid & 0xffff;
for (let n = 0; n < MACHINES; n++) {
  const bytes = encode(discoverOf(Uint8Array.of(2, 0, run >> 8, run & 255, n >> 8, n & 255), n));
  const startedAt = performance.now();
  socket.send(bytes, RELAY_PORT, server);
  await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
  delays.push(performance.now() - startedAt);
}
socket.close();
process.stdout.write(JSON.stringify({ offer_ms: median(delays.slice(WARM_UP)) }));

function discoverOf(chaddr: Uint8Array, xid: number): DhcpPacket {
  const options = new Map([messageType.write('DISCOVER')]);
  return requestOf(chaddr, { xid, hops: 1, giaddr: local, options });
}

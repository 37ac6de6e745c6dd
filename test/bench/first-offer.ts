/** `first-offer.ts LOCAL SERVER...`: as a relay at LOCAL, asks for machines that nobody knows, each server in turn for a rack of them. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type DhcpPacket, encode, messageType, requestOf } from '@bootswarm/edge-node/dhcp4';
import { median } from './bench.ts';

const RACKS = 20;
const MACHINES_OF_RACK = 50;
const RELAY_PORT = 67;
const [local = '', ...servers] = process.argv.slice(2);

const socket = createSocket('udp4');
socket.bind(RELAY_PORT, local);
await once(socket, 'listening');
const delaysMs = new Map(servers.map((server): [string, number[]] => [server, []]));
// A run of its own: a machine that was seen before is no first offer.
const run = process.pid & 0xffff;
for (let rack = 0; rack < RACKS; rack++)
  for (const [server, delays] of delaysMs)
    for (let n = rack * MACHINES_OF_RACK; n < (rack + 1) * MACHINES_OF_RACK; n++) {
      const bytes = encode(discoverOf(n));
      const startedAt = performance.now();
      socket.send(bytes, RELAY_PORT, server);
      await once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
      delays.push(performance.now() - startedAt);
    }
socket.close();
// The first rack warms up.
const medians = Array.from(delaysMs, ([server, delays]) => [server, median(delays.slice(MACHINES_OF_RACK))]);
process.stdout.write(JSON.stringify(Object.fromEntries(medians)));

function discoverOf(n: number): DhcpPacket {
  const chaddr = Uint8Array.of(2, 0, run >> 8, run & 255, n >> 8, n & 255);
  const options = new Map([messageType.write('DISCOVER')]);
  return requestOf(chaddr, { xid: n, hops: 1, giaddr: local, options });
}

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** Any: nothing is sent to it. */
const PORT = 9;

/** IPv4 address of the host of a URL. @throws what the resolver throws. */
export async function addressOf(url: string): Promise<string> {
  const { hostname } = new URL(url);
  if (isIPv4(hostname)) return hostname;
  return (await lookup(hostname, { family: 4 })).address;
}

/** Of this host's addresses the one that it uses towards another: what the routing table says. Nothing is sent. */
export async function ownAddressTowards(address: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    socket.connect(PORT, address);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}

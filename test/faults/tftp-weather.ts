/**
 * `tftp-weather.ts SERVER SEED`: port 69 of a host in front of a TFTP server, through bad weather: of each hundred
 * datagrams, both ways, 20 are lost, 5 come twice, and 10 come late, behind those that were sent after them. Every
 * client and every transfer has a port of its own here too.
 */
import { createSocket, type Socket } from 'node:dgram';

const LOST = 20;
const TWICE = 5;
const LATE = 10;
const LATE_MS = 30;
const TFTP_PORT = 69;
const [server = '', seed = '1'] = process.argv.slice(2);

let state = Number(seed);
const clients = new Map<string, Socket>();
const front = createSocket('udp4');
front.on('message', (bytes, client) => {
  const key = `${client.address}:${client.port}`;
  const known = clients.get(key);
  // The server's side of this client; where it answers from is known when it does.
  const upstream = known ?? createSocket('udp4');
  clients.set(key, upstream);
  if (!known) relay(upstream, client);
  through(() => upstream.send(bytes, TFTP_PORT, server));
});
front.bind(TFTP_PORT, () => process.stdout.write('weather is up\n'));

function relay(upstream: Socket, client: { readonly address: string; readonly port: number }): void {
  const downstreams = new Map<number, Socket>();
  upstream.on('message', (bytes, from) => {
    let downstream = downstreams.get(from.port);
    if (!downstream) {
      downstream = createSocket('udp4');
      downstream.on('message', (answer) => through(() => upstream.send(answer, from.port, server)));
      downstreams.set(from.port, downstream);
    }
    const port = downstream;
    through(() => port.send(bytes, client.port, client.address));
  });
}

function through(send: () => void): void {
  if (happens(LOST)) return;
  if (happens(TWICE)) send();
  if (happens(LATE)) setTimeout(send, LATE_MS);
  else send();
}

/** xorshift32. */
function happens(percent: number): boolean {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % 100 < percent;
}

import { createSocket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './index.ts';

/** A packet that reached the sink. */
interface SunkPacket {
  /** The relay agent's address; `0.0.0.0` from a client itself. */
  readonly giaddr: string;
  /** Lower case, with colons. */
  readonly mac: string;
  readonly hex: string;
}

export interface FakeDhcpSink {
  /** The first packet a client sent, earlier ones included. Throws when none comes. */
  packetFrom(mac: string, timeoutMs: number): Promise<SunkPacket>;
}

/** A fake DHCP server that answers nobody and remembers what reached port 67. */
export async function startFakeDhcpSink(namespace: Namespace): Promise<FakeDhcpSink> {
  // A program of its own, because a Node process lives in a single network namespace.
  const program = fileURLToPath(import.meta.url);
  const sink = await namespace.start([process.execPath, program], { name: 'fake-dhcp-sink' });
  await sink.waitForLine(/^listening$/, 10_000);
  return {
    async packetFrom(mac, timeoutMs) {
      return JSON.parse(await sink.waitForLine(new RegExp(`"mac":"${mac}"`), timeoutMs));
    },
  };
}

// RFC 2131 section 2: the packet's fixed fields.
const GIADDR = 24;
const CHADDR = 28;

if (import.meta.main) {
  const socket = createSocket('udp4');
  socket.on('message', (packet) => {
    const sunk: SunkPacket = {
      giaddr: packet.subarray(GIADDR, GIADDR + 4).join('.'),
      mac: packet.toString('hex', CHADDR, CHADDR + 6).replace(/..(?!$)/g, '$&:'),
      hex: packet.toString('hex'),
    };
    console.log(JSON.stringify(sunk));
  });
  socket.bind(67, () => console.log('listening'));
}

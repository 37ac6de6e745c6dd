import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeUdp, openUdpOn } from '../sockets/bound-udp.ts';
import { DatagramBatch } from '../sockets/datagram-batch.ts';
import { ECHO_REPLY, echoRequest } from '../sockets/icmp.ts';
import { setsockopt } from '../sockets/libc.ts';
import { IPPROTO_ICMP, ipv4Payload, openRawIpv4 } from '../sockets/raw-ipv4.ts';
import { RogueWatch } from '../sockets/rogue-watch.ts';

const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
/** Don't fragment, and believe no path MTU that was learned before (ip(7)). */
const IP_PMTUDISC_PROBE = 3;
const IP_HEADER_BYTES = 20;
const BATCH = 64;
const PACKET_BYTES = 2048;
const LOOK_MS = 20;
const TRIES = 3;
const TRY_MS = 500;
const PROBE_EVERY_MS = 1000;

/**
 * Who of `addresses` answers a ping of `packetBytes`, IP header included, that must not be fragmented.
 * @throws Problem not_root
 */
export async function answering(
  addresses: readonly string[],
  packetBytes: number,
): Promise<ReadonlySet<string>> {
  const identifier = process.pid & 0xffff;
  const filter = [
    [0xb1, 0, 0, 0], // x = length of the IP header
    [0x50, 0, 0, 0], // a = ICMP type
    [0x15, 0, 3, ECHO_REPLY],
    [0x48, 0, 0, 4], // a = identifier
    [0x15, 0, 1, identifier],
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ] as const;
  const fd = openRawIpv4({ protocol: IPPROTO_ICMP, filter });
  const batch = new DatagramBatch(BATCH, PACKET_BYTES);
  const bytes = echoRequest(identifier, packetBytes - IP_HEADER_BYTES);
  const heard = new Set<string>();
  try {
    const probe = Buffer.alloc(4);
    probe.writeInt32LE(IP_PMTUDISC_PROBE);
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, probe, probe.length);
    for (let tries = 0; tries < TRIES && heard.size < addresses.length; tries++) {
      const silent = addresses.filter((address) => !heard.has(address));
      batch.send(
        fd,
        silent.map((address) => ({ bytes, address, port: 0 })),
      );
      for (const deadline = Date.now() + TRY_MS; Date.now() < deadline; await sleep(LOOK_MS)) {
        // A shorter one answers an earlier try of another length.
        for (const { bytes: reply, address } of batch.receive(fd))
          if (ipv4Payload(reply).length === bytes.length) heard.add(address);
        if (heard.size === addresses.length) break;
      }
    }
  } finally {
    closeUdp(fd);
  }
  return heard;
}

/** The own address by which `address` would be reached; undefined without a route. */
export async function sourceTowards(address: string): Promise<string | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.connect(9, address);
    await once(socket, 'connect');
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

/**
 * DHCP servers that offer an address to a client of no machine, heard for `listenMs`. No edge answers that client.
 * @throws Problem not_root
 */
export async function serversOn(
  interfaceName: string,
  ownAddress: string,
  listenMs: number,
): Promise<readonly string[]> {
  const watch = RogueWatch.open(interfaceName, ownAddress);
  try {
    const fd = openUdpOn(interfaceName, 0);
    try {
      return await hear(watch, fd, listenMs);
    } finally {
      closeUdp(fd);
    }
  } finally {
    closeUdp(watch.fd);
  }
}

async function hear(watch: RogueWatch, fd: number, listenMs: number): Promise<readonly string[]> {
  const batch = new DatagramBatch(1, PACKET_BYTES);
  const servers = new Set<string>();
  let nextProbeMs = 0;
  for (const deadline = Date.now() + listenMs; Date.now() < deadline; await sleep(LOOK_MS)) {
    if (Date.now() >= nextProbeMs) {
      batch.send(fd, [watch.probe()]);
      nextProbeMs = Date.now() + PROBE_EVERY_MS;
    }
    for (const server of watch.heard()) servers.add(server);
  }
  return [...servers].toSorted();
}

/**
 * The thread that serves DHCP: it takes what is waiting in one system call, answers it as one round, and waits
 * for more. Nothing else runs here, so that no transfer of an image delays an offer (edge-node/decisions/0003).
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Segment } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { LeaseStore } from '../state/lease-store.ts';
import { LeaseTable } from '../state/lease-table.ts';
import { closeUdp, openUdpOn, waitReadable } from './bound-udp.ts';
import { DatagramBatch } from './datagram-batch.ts';
import { playRound } from './dhcp-round.ts';
import type { FromThread, ThreadStart, ToThread } from './dhcp-server.ts';

const DHCP_SERVER_PORT = 67;
const BATCH = 512;
/** An Ethernet frame's worth: nobody sends a longer DHCP message unfragmented. */
const DATAGRAM_BYTES = 1536;
/** How soon orders from outside are seen when no packet comes. */
const WAIT_MS = 50;

const { listeners, httpPort, leaseFolder, verbose, segments: firstSegments } = workerData as ThreadStart;
const port = parentPort;
if (!port) throw new Error('this is the inside of a worker thread');
const tell = (news: FromThread): void => port.postMessage(news);

try {
  await serve();
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  tell({ kind: 'failed', problem: error.toBody(), status: error.status });
}

async function serve(): Promise<void> {
  const doors = listeners.map((listener) => ({
    ...listener,
    httpUrl: `http://${listener.address}:${httpPort}`,
    fd: openUdpOn(listener.interfaceName, DHCP_SERVER_PORT),
  }));
  const store = LeaseStore.open(leaseFolder);
  const leases = new LeaseTable(store);
  tell({ kind: 'up', leases: [...leases.all()] });

  const [incoming, outgoing] = [
    new DatagramBatch(BATCH, DATAGRAM_BYTES),
    new DatagramBatch(BATCH, DATAGRAM_BYTES),
  ];
  const fds = doors.map(({ fd }) => fd);
  let segments: readonly Segment[] = firstSegments;
  for (;;) {
    let stopped = false;
    for (let order = nextOrder(); order; order = nextOrder()) {
      if (order.kind === 'follow') segments = order.segments;
      else stopped = true;
    }
    if (stopped) break;
    waitReadable(fds, WAIT_MS);
    for (const { fd, address, httpUrl } of doors) {
      const datagrams = incoming.receive(fd);
      if (datagrams.length === 0) continue;
      const surroundings = { segments, serverAddress: address, httpUrl, nowMs: Date.now() };
      const news = playRound(datagrams, surroundings, {
        leases,
        send: (replies) => outgoing.send(fd, replies),
      });
      tell({ kind: 'round', ...news, told: verbose ? news.told : [] });
    }
  }
  for (const fd of fds) closeUdp(fd);
  await store.close();
}

function nextOrder(): ToThread | undefined {
  return port ? (receiveMessageOnPort(port)?.message as ToThread | undefined) : undefined;
}

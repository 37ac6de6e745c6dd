/**
 * The thread that serves TFTP: it waits for all sockets at once, answers what came, and asks the main thread what a
 * name stands for. Nothing else runs here (edge-node/decisions/0005).
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Problem } from '@bootswarm/images/format';
import { closeUdp } from './bound-udp.ts';
import { bell, Readiness } from './readiness.ts';
import { TftpInbox } from './tftp-inbox.ts';
import { TftpOutbox } from './tftp-outbox.ts';
import type { FromTftpThread, TftpThreadStart, ToTftpThread } from './tftp-server.ts';
import { openTftpSocket, portOfSocket } from './tftp-socket.ts';
import { type Door, TftpTransfers } from './tftp-transfers.ts';

const { addresses, port, isSinglePort, bellFd, running } = workerData as TftpThreadStart;
const toMain = parentPort;
if (!toMain) throw new Error('this is the inside of a worker thread');
const tell = (news: FromTftpThread): void => toMain.postMessage(news);

try {
  serve();
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  tell({ kind: 'failed', problem: error.toBody(), status: error.status });
}

function serve(): void {
  const doors = openDoors();
  const [readiness, inbox, outbox] = [new Readiness(), new TftpInbox(), new TftpOutbox()];
  const transfers = new TftpTransfers({
    outbox,
    openTransfer: isSinglePort
      ? undefined
      : ({ address }) => {
          // The reply must come from the address that was asked (quirk 13).
          const fd = openTftpSocket(address, 0);
          readiness.watch(fd);
          return fd;
        },
    closeTransfer: closeUdp,
    nowMs: () => performance.now(),
  });
  for (const fd of [bellFd, ...doors.keys()]) readiness.watch(fd);
  const [firstDoor = -1] = doors.keys();
  tell({ kind: 'up', port: portOfSocket(firstDoor) });

  for (let isStopped = false; !isStopped; ) {
    const ready = readiness.wait(waitMs(transfers));
    for (const fd of ready) {
      if (fd === bellFd) isStopped = obey(transfers) || isStopped;
      else if (!doors.has(fd))
        for (let i = 0, count = inbox.receive(fd); i < count; i++)
          transfers.atTransfer(fd, inbox.peer(i), inbox.bytes(i));
    }
    // After the transfers: a client's last ACK counts before its next request.
    for (const fd of ready) {
      const door = doors.get(fd);
      for (let i = 0, count = door ? inbox.receive(fd) : 0; door && i < count; i++)
        transfers.atDoor(door, inbox.peer(i), inbox.bytes(i));
    }
    transfers.expire();
    if (isStopped) transfers.stop();
    Atomics.store(running, 0, transfers.running);
    outbox.flush();
    const news = transfers.takeNews();
    if (news) tell({ kind: 'round', ...news });
  }
  for (const fd of doors.keys()) closeUdp(fd);
  readiness.close();
}

/** @throws Problem not_root, port_in_use */
function openDoors(): ReadonlyMap<number, Door> {
  return new Map(
    addresses.map((address) => {
      const fd = openTftpSocket(address, port);
      return [fd, { fd, address }] as const;
    }),
  );
}

/** Takes what the main thread ordered. @returns whether to stop. */
function obey(transfers: TftpTransfers): boolean {
  bell.hush(bellFd);
  for (;;) {
    const order = toMain && (receiveMessageOnPort(toMain)?.message as ToTftpThread | undefined);
    if (!order) return false;
    if (order.kind === 'stop') return true;
    for (const found of order.found) transfers.found(found);
  }
}

/** Infinity while nothing runs. */
function waitMs({ nextDeadlineMs }: TftpTransfers): number {
  return Math.max(nextDeadlineMs - performance.now(), 0);
}

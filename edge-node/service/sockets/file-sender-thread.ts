/**
 * A thread that sends parts of files by sendfile(2) over connections that the main thread handed over. Nothing else
 * runs here: a file that comes from the disk holds up no offer and no script (edge-node/decisions/0017).
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { FileOrder, FileThreadStart, FromFileThread, ToFileThread } from './file-sender.ts';
import { close, EINTR, EINVAL, ENOSYS, EWOULDBLOCK, lastErrno, sendfile } from './libc.ts';
import { bell, Readiness } from './readiness.ts';

/** Of one call: one connection must not keep the others waiting for long. */
const CALL_BYTES = 1024 * 1024;
/** How often the main thread is told which connections move: it gives up those that stand still. */
const TELL_MS = 1000;

interface Sending extends FileOrder {
  at: number;
  hasMoved: boolean;
}

const { bellFd } = workerData as FileThreadStart;
const port = parentPort;
if (!port) throw new Error('this is the inside of a worker thread');
const tell = (news: FromFileThread): void => port.postMessage(news);

const readiness = new Readiness();
const bySocket = new Map<number, Sending>();
const offset = Buffer.alloc(8);
let toldAtMs = performance.now();
let isStopped = false;
readiness.watch(bellFd);
while (!isStopped) {
  for (const fd of readiness.wait(TELL_MS)) {
    const sending = bySocket.get(fd);
    if (sending) sendSome(sending);
    else if (fd === bellFd) takeOrders();
  }
  tellMoved(performance.now());
}
for (const sending of bySocket.values()) end(sending);
readiness.close();

function takeOrders(): void {
  bell.hush(bellFd);
  for (let order = nextOrder(); order; order = nextOrder())
    switch (order.kind) {
      case 'send':
        begin(order);
        break;
      case 'cancel': {
        const { id } = order;
        const cancelled = [...bySocket.values()].find((sending) => sending.id === id);
        if (cancelled) end(cancelled);
        break;
      }
      case 'stop':
        isStopped = true;
    }
}

function begin(order: FileOrder): void {
  const sending = { ...order, at: order.start, hasMoved: true };
  bySocket.set(order.socket, sending);
  try {
    readiness.watch(order.socket, 'writable');
  } catch {
    end(sending, true);
  }
}

function sendSome(sending: Sending): void {
  offset.writeBigInt64LE(BigInt(sending.at));
  const bytes = Math.min(sending.end - sending.at, CALL_BYTES);
  const sent = sendfile(sending.socket, sending.file, offset, bytes);
  if (sent > 0) {
    sending.at += sent;
    sending.hasMoved = true;
    if (sending.at === sending.end) end(sending);
    return;
  }
  const errno = sent === 0 ? 0 : lastErrno();
  if (errno === EWOULDBLOCK || errno === EINTR) return;
  // The client is gone, or the file ended too soon; some file systems know no sendfile at all.
  end(sending, sending.at === sending.start && (errno === EINVAL || errno === ENOSYS));
}

function end({ id, socket, start, at }: Sending, isRefused = false): void {
  bySocket.delete(socket);
  // The main thread's descriptor is the same connection, which epoll would go on watching.
  readiness.unwatch(socket);
  close(socket);
  tell({ kind: 'ended', id, bytes: isRefused ? undefined : at - start });
}

function tellMoved(nowMs: number): void {
  if (nowMs - toldAtMs < TELL_MS) return;
  toldAtMs = nowMs;
  const moved = [...bySocket.values()].filter(({ hasMoved }) => hasMoved);
  if (moved.length > 0) tell({ kind: 'moved', ids: moved.map(({ id }) => id) });
  for (const sending of moved) sending.hasMoved = false;
}

function nextOrder(): ToFileThread | undefined {
  return port ? (receiveMessageOnPort(port)?.message as ToFileThread | undefined) : undefined;
}

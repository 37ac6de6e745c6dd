import { problem } from '../problems.ts';
import {
  AF_INET,
  bind,
  close,
  EACCES,
  EADDRINUSE,
  EPERM,
  lastErrno,
  poll,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  setsockopt,
  socket,
} from './libc.ts';

const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
const POLLIN = 1;
const POLLFD_BYTES = 8;

/** What waits while a commit is on its way to the disk: some ten thousand packets. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * A UDP socket that hears and speaks on one interface alone, broadcasts to 255.255.255.255 included: Node's
 * own sockets cannot be bound to a device, and without that a broadcast reply leaves by the default route.
 * @returns its file descriptor.
 * @throws Problem not_root, port_in_use
 */
export function openUdpOn(interfaceName: string, port: number): number {
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const device = Buffer.from(`${interfaceName}\0`);
  const done =
    fd >= 0 &&
    setOption(fd, SO_BROADCAST, numberOption(1)) &&
    setOption(fd, SO_BINDTODEVICE, device) &&
    bind(fd, anyAddress(port), 16) === 0;
  if (done) {
    // Refused without CAP_NET_ADMIN, and then the default has to do.
    setOption(fd, SO_RCVBUFFORCE, numberOption(RECEIVE_BUFFER_BYTES));
    return fd;
  }
  const errno = lastErrno();
  if (fd >= 0) close(fd);
  if (errno === EACCES || errno === EPERM) throw problem('not_root', { facts: { port } });
  if (errno === EADDRINUSE)
    throw problem('port_in_use', {
      facts: { protocol: 'UDP', port, address: interfaceName, orElse: '' },
    });
  throw new Error(`UDP port ${port} on ${interfaceName}: errno ${errno}`);
}

/** Waits until a socket can be read, at most `timeoutMs`; the thread stands still meanwhile. */
export function waitReadable(fds: readonly number[], timeoutMs: number): void {
  const entries = Buffer.alloc(fds.length * POLLFD_BYTES);
  for (const [i, fd] of fds.entries()) {
    entries.writeInt32LE(fd, i * POLLFD_BYTES);
    entries.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
  }
  poll(entries, fds.length, timeoutMs);
}

export function closeUdp(fd: number): void {
  close(fd);
}

function setOption(fd: number, name: number, value: Buffer): boolean {
  return setsockopt(fd, SOL_SOCKET, name, value, value.length) === 0;
}

function numberOption(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** struct sockaddr_in of 0.0.0.0: the family in host order, the port in network order. */
function anyAddress(port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  return bytes;
}

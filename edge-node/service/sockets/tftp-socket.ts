import { problem } from '../problems.ts';
import {
  AF_INET,
  bind,
  close,
  EACCES,
  EADDRINUSE,
  EPERM,
  getsockname,
  lastErrno,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  setsockopt,
  socket,
} from './libc.ts';

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SOCKADDR_BYTES = 16;
/** What the kernel grants without CAP_NET_ADMIN is what net.core.rmem_max says. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * A UDP socket bound to one of this host's addresses; port 0 takes a free one.
 * @returns its descriptor.
 * @throws Problem not_root, port_in_use
 */
export function openTftpSocket(address: string, port: number): number {
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const name = Buffer.alloc(SOCKADDR_BYTES);
  name.writeUInt16LE(AF_INET, 0);
  name.writeUInt16BE(port, 2);
  name.set(address.split('.').map(Number), 4);
  if (fd >= 0 && bind(fd, name, name.length) === 0) {
    if (port !== 0) widen(fd);
    return fd;
  }
  const errno = lastErrno();
  if (fd >= 0) close(fd);
  if (errno === EACCES || errno === EPERM) throw problem('not_root', { facts: { port } });
  if (errno === EADDRINUSE)
    throw problem('port_in_use', { facts: { protocol: 'UDP', port, address, orElse: '' } });
  throw new Error(`UDP port ${port} of ${address}: errno ${errno}`);
}

export function portOfSocket(fd: number): number {
  const name = Buffer.alloc(SOCKADDR_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SOCKADDR_BYTES);
  getsockname(fd, name, length);
  return name.readUInt16BE(2);
}

/** A rack that powers on asks within the same millisecond, and in single-port mode all ACKs come here. */
function widen(fd: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(RECEIVE_BUFFER_BYTES);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, bytes, bytes.length);
}

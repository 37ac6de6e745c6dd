import { createSocket, type Socket } from 'node:dgram';
import koffi from 'koffi';
import { problem } from '../problems.ts';

/** Linux, <bits/socket.h> and <asm-generic/socket.h>. */
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const SO_BINDTODEVICE = 25;

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
);
const bind = libc.func('int bind(int fd, const void *address, uint32_t length)');
const close = libc.func('int close(int fd)');

/**
 * A UDP socket that hears and speaks on one interface alone, broadcasts to 255.255.255.255 included: Node's
 * own sockets cannot be bound to a device, and without that a broadcast reply leaves by the default route.
 * @throws Problem not_root, port_in_use
 */
export async function bindUdpToInterface(interfaceName: string, port: number): Promise<Socket> {
  const fd = open(interfaceName, port);
  const bound = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    bound.once('error', reject);
    bound.bind({ fd }, () => {
      bound.off('error', reject);
      resolve();
    });
  });
  return bound;
}

function open(interfaceName: string, port: number): number {
  const fd: number = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const device = Buffer.from(`${interfaceName}\0`);
  const done =
    fd >= 0 &&
    setOption(fd, SO_BROADCAST, numberOption(1)) &&
    setOption(fd, SO_BINDTODEVICE, device) &&
    bind(fd, anyAddress(port), 16) === 0;
  if (done) return fd;
  const errno = koffi.errno();
  if (fd >= 0) close(fd);
  const { EACCES, EPERM, EADDRINUSE } = koffi.os.errno;
  if (errno === EACCES || errno === EPERM) throw problem('not_root', { facts: { port } });
  if (errno === EADDRINUSE)
    throw problem('port_in_use', {
      facts: { protocol: 'UDP', port, address: interfaceName, orElse: '' },
    });
  throw new Error(`UDP port ${port} on ${interfaceName}: errno ${errno}`);
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

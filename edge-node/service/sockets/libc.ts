import koffi from 'koffi';

/** The calls of Linux that Node does not offer, and their numbers (<bits/socket.h>, <asm-generic/socket.h>). */
export const AF_INET = 2;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;

const libc = koffi.load('libc.so.6');

export const socket: (domain: number, type: number, protocol: number) => number = libc.func(
  'int socket(int domain, int type, int protocol)',
);
export const setsockopt: (fd: number, level: number, name: number, value: Buffer, bytes: number) => number =
  libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
export const bind: (fd: number, address: Buffer, bytes: number) => number = libc.func(
  'int bind(int fd, const void *address, uint32_t length)',
);
export const poll: (entries: Buffer, count: number, timeoutMs: number) => number = libc.func(
  'int poll(void *fds, uint64_t count, int timeout)',
);
export const ioctl: (fd: number, request: number, argument: Buffer) => number = libc.func(
  'int ioctl(int fd, unsigned long request, void *argument)',
);
export const recvmmsg: (
  fd: number,
  headers: DataView,
  count: number,
  flags: number,
  timeout: null,
) => number = libc.func('int recvmmsg(int fd, void *headers, uint32_t count, int flags, void *timeout)');
export const sendmmsg: (fd: number, headers: DataView, count: number, flags: number) => number = libc.func(
  'int sendmmsg(int fd, void *headers, uint32_t count, int flags)',
);
export const close: (fd: number) => number = libc.func('int close(int fd)');

/** Of the last call that failed, on this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

export const {
  EACCES = -1,
  EPERM = -1,
  EADDRINUSE = -1,
} = koffi.os.errno as Readonly<Record<string, number>>;

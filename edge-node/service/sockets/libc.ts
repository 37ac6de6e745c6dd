import koffi from 'koffi';

/** The calls of Linux that Node does not offer, and their numbers (<bits/socket.h>, <asm-generic/socket.h>). */
export const AF_INET = 2;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
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
export const getsockname: (fd: number, address: Buffer, bytes: Buffer) => number = libc.func(
  'int getsockname(int fd, void *address, void *length)',
);
export const epoll_create1: (flags: number) => number = libc.func('int epoll_create1(int flags)');
export const epoll_ctl: (epollFd: number, operation: number, fd: number, event: Buffer) => number = libc.func(
  'int epoll_ctl(int epfd, int op, int fd, void *event)',
);
export const epoll_wait: (epollFd: number, events: Buffer, most: number, timeoutMs: number) => number =
  libc.func('int epoll_wait(int epfd, void *events, int most, int timeout)');
export const eventfd: (initial: number, flags: number) => number = libc.func(
  'int eventfd(uint32_t initial, int flags)',
);
export const read: (fd: number, into: Buffer, bytes: number) => number = libc.func(
  'int64_t read(int fd, void *into, uint64_t bytes)',
);
export const write: (fd: number, from: Buffer, bytes: number) => number = libc.func(
  'int64_t write(int fd, const void *from, uint64_t bytes)',
);
/** @param offset int64, moved on by what was sent. @returns bytes sent, -1 where it failed. */
export const sendfile: (to: number, from: number, offset: Buffer, bytes: number) => number = libc.func(
  'int64_t sendfile(int to, int from, void *offset, uint64_t bytes)',
);
export const fcntl: (fd: number, command: number, argument: number) => number = libc.func(
  'int fcntl(int fd, int command, int argument)',
);
export const flock: (fd: number, operation: number) => number = libc.func('int flock(int fd, int operation)');

/** Of the last call that failed, on this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

export const {
  EACCES = -1,
  EPERM = -1,
  EADDRINUSE = -1,
  EINTR = -1,
  EINVAL = -1,
  ENOSYS = -1,
  EWOULDBLOCK = -1,
} = koffi.os.errno as Readonly<Record<string, number>>;

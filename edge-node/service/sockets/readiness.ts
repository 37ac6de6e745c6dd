import { close, epoll_create1, epoll_ctl, epoll_wait, eventfd, lastErrno, read, write } from './libc.ts';

/** <sys/epoll.h>, <sys/eventfd.h> */
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const EFD_NONBLOCK = 0o4000;
/** struct epoll_event is packed on x86-64 alone. */
const [EVENT_BYTES, FD_AT] = process.arch === 'x64' ? [12, 4] : [16, 8];
const MOST_EVENTS = 1024;
/** process.exit() waits for every thread to come back to JavaScript: one that waited for ever would keep it from ending. */
const LONGEST_WAIT_MS = 1000;
const ONE = Buffer.from(BigUint64Array.of(1n).buffer);

/** Which of many descriptors are ready (epoll(7)): the wait costs the same however many are watched. */
export class Readiness {
  readonly #epollFd = epoll_create1(EPOLL_CLOEXEC);
  readonly #events = Buffer.alloc(MOST_EVENTS * EVENT_BYTES);

  /** Closing a descriptor that has no duplicate ends its watch. @throws Error where the kernel allows no more. */
  watch(fd: number, until: 'readable' | 'writable' = 'readable'): void {
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeUInt32LE(until === 'readable' ? EPOLLIN : EPOLLOUT, 0);
    event.writeInt32LE(fd, FD_AT);
    if (epoll_ctl(this.#epollFd, EPOLL_CTL_ADD, fd, event) !== 0)
      throw new Error(`epoll_ctl: errno ${lastErrno()}`);
  }

  /** Before a descriptor is closed that has a duplicate. */
  unwatch(fd: number): void {
    epoll_ctl(this.#epollFd, EPOLL_CTL_DEL, fd, Buffer.alloc(EVENT_BYTES));
  }

  /**
   * Waits until one is ready, or broken; the thread stands still meanwhile.
   * @param timeoutMs of which it waits a second at most; Infinity is one.
   * @returns those that are, at most 1024 at once.
   */
  wait(timeoutMs: number): readonly number[] {
    const waitMs = Math.ceil(Math.min(timeoutMs, LONGEST_WAIT_MS));
    const count = epoll_wait(this.#epollFd, this.#events, MOST_EVENTS, waitMs);
    const ready: number[] = [];
    for (let i = 0; i < count; i++) ready.push(this.#events.readInt32LE(i * EVENT_BYTES + FD_AT));
    return ready;
  }

  /**
   * Asks again and again instead of sleeping, which takes the time that waking a thread would.
   * @param forMs until it gives up, with nothing to read.
   */
  look(forMs: number): readonly number[] {
    const untilMs = performance.now() + forMs;
    for (;;) {
      const ready = this.wait(0);
      if (ready.length > 0 || performance.now() >= untilMs) return ready;
    }
  }

  close(): void {
    close(this.#epollFd);
  }
}

/** A descriptor that can be read once another thread rang it: a worker that waits in epoll hears no message. */
export const bell = {
  make: (): number => eventfd(0, EFD_NONBLOCK | EPOLL_CLOEXEC),
  ring: (fd: number): void => void write(fd, ONE, ONE.length),
  hush: (fd: number): void => void read(fd, Buffer.alloc(8), 8),
};

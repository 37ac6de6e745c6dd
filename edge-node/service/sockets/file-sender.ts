import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { FileSender } from '@bootswarm/images/swarm';
import { close, fcntl } from './libc.ts';
import { bell } from './readiness.ts';

/** <fcntl.h> */
const F_DUPFD_CLOEXEC = 1030;

/** What a thread begins with. */
export interface FileThreadStart {
  readonly bellFd: number;
}

/** Part of an open file for a connection. */
export interface FileOrder {
  readonly id: number;
  /** The thread's own descriptor of the connection; it closes it. */
  readonly socket: number;
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

export type ToFileThread =
  | ({ readonly kind: 'send' } & FileOrder)
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stop' };

export type FromFileThread =
  /** Undefined where none left because the kernel would not. */
  | { readonly kind: 'ended'; readonly id: number; readonly bytes: number | undefined }
  /** Connections that took bytes lately. */
  | { readonly kind: 'moved'; readonly ids: readonly number[] };

interface Sending {
  readonly socket: Socket;
  readonly ended: (bytes: number | undefined) => void;
}

/** Sends files by sendfile(2) in threads of its own, each connection in the one that has the fewest. */
export class ThreadedFileSender implements FileSender {
  readonly #threads: readonly SenderThread[];

  /** @param onCrash told when a thread ended by itself: what it sent is then broken off. */
  constructor(threads: number, onCrash: (error: unknown) => void) {
    this.#threads = Array.from({ length: threads }, () => new SenderThread(onCrash));
  }

  send(
    socket: Socket,
    file: number,
    { start, end }: { readonly start: number; readonly end: number },
  ): Promise<number | undefined> | undefined {
    const [first, ...others] = this.#threads.filter(({ isOver }) => !isOver);
    const own = fdOf(socket);
    if (!first || own === undefined) return undefined;
    // Node closes its descriptor when the client goes away, and the number may then be another connection's.
    const fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return undefined;
    const thread = others.reduce((least, each) => (each.running < least.running ? each : least), first);
    return thread.send(socket, { socket: fd, file, start, end });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}

class SenderThread {
  readonly #bellFd = bell.make();
  readonly #worker: Worker;
  readonly #sendings = new Map<number, Sending>();
  #lastId = 0;
  #isOver = false;

  constructor(onCrash: (error: unknown) => void) {
    const workerData: FileThreadStart = { bellFd: this.#bellFd };
    this.#worker = new Worker(new URL('./file-sender-thread.ts', import.meta.url), { workerData });
    this.#worker.on('message', (news: FromFileThread) => this.#hear(news));
    this.#worker.on('error', onCrash);
    this.#worker.once('exit', () => {
      this.#isOver = true;
      close(this.#bellFd);
      for (const { ended } of this.#sendings.values()) ended(0);
    });
  }

  get running(): number {
    return this.#sendings.size;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async send(socket: Socket, order: Omit<FileOrder, 'id'>): Promise<number | undefined> {
    const id = ++this.#lastId;
    const { promise, resolve: ended } = Promise.withResolvers<number | undefined>();
    const cancel = (): void => this.#order({ kind: 'cancel', id });
    this.#sendings.set(id, { socket, ended });
    socket.once('close', cancel);
    this.#order({ kind: 'send', id, ...order });
    try {
      return await promise;
    } finally {
      this.#sendings.delete(id);
      socket.off('close', cancel);
    }
  }

  async stop(): Promise<void> {
    if (this.#isOver) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#order({ kind: 'stop' });
    await exited;
  }

  #hear(news: FromFileThread): void {
    if (news.kind === 'ended') this.#sendings.get(news.id)?.ended(news.bytes);
    else
      for (const id of news.ids) {
        const socket = this.#sendings.get(id)?.socket;
        // Node saw nothing of it, and would take the connection for idle.
        if (socket && !socket.destroyed) socket.setTimeout(socket.timeout ?? 0);
      }
  }

  #order(order: ToFileThread): void {
    // Its descriptor may be somebody else's by now.
    if (this.#isOver) return;
    this.#worker.postMessage(order);
    bell.ring(this.#bellFd);
  }
}

/** Node tells no descriptor of a socket: where its handle has none, the caller copies. */
function fdOf(socket: Socket): number | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: unknown } | null })._handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

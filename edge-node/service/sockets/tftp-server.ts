import { Worker } from 'node:worker_threads';
import { type Caps, ERROR, netascii } from '@bootswarm/edge-node/tftp';
import { Problem, type ProblemBody } from '@bootswarm/images/format';
import type { Logger } from 'pino';
import type { Counters } from './counters.ts';
import { close } from './libc.ts';
import { bell } from './readiness.ts';
import type { Ask, Found, TftpNews } from './tftp-transfers.ts';

const TFTP_PORT = 69;
/** Of a name in a refusal, which must stay small. */
const NAME_SHOWN = 128;

/** Who asks for what. */
export interface TftpRequest {
  /** As it was asked for, in Latin-1. */
  readonly file: string;
  readonly clientAddress: string;
  /** The edge's, as the client reached it. */
  readonly serverAddress: string;
}

/** A file of the tree, or that the name is forbidden; undefined where there is none. */
export type TftpAnswer = { readonly bytes: Uint8Array } | 'forbidden' | undefined;

export interface TftpService {
  /** Of this edge; it answers from the address that was asked. */
  readonly addresses: readonly string[];
  /** 69 unless told. */
  readonly port?: number;
  /** Whether transfers are answered from port 69, for clients behind firewalls and NATs that know no TIDs (quirk 14). */
  readonly isSinglePort?: boolean;
  readonly fileOf: (request: TftpRequest) => TftpAnswer | Promise<TftpAnswer>;
  /** What the client's segment and class bear. */
  readonly capsOf: (clientAddress: string) => Caps;
  /** Told how each transfer of a file of the tree ended. */
  readonly onEnd: (request: TftpRequest, ending: string) => void;
  readonly counters: Counters;
  readonly log: Logger;
  /** Told when the thread ended by itself: TFTP is then not served any more. */
  readonly onCrash?: (error: unknown) => void;
}

/** What the thread begins with. */
export interface TftpThreadStart {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly isSinglePort: boolean;
  readonly bellFd: number;
  /** How many transfers run, for those outside. */
  readonly running: Int32Array<SharedArrayBuffer>;
}

export type ToTftpThread =
  | { readonly kind: 'found'; readonly found: readonly Found[] }
  | { readonly kind: 'stop' };

export type FromTftpThread =
  | { readonly kind: 'up'; readonly port: number }
  | { readonly kind: 'failed'; readonly problem: ProblemBody; readonly status: number }
  | ({ readonly kind: 'round' } & TftpNews);

/** Serves TFTP, read only: the thread moves the packets, and asks here what a name stands for. */
export class TftpServer {
  readonly #thread: Worker;
  readonly #service: TftpService;
  readonly #bellFd: number;
  readonly #running: Int32Array<SharedArrayBuffer>;
  /** Files as the thread reads them, without a copy for each transfer; as they are, and as netascii. */
  readonly #shared = {
    octet: new WeakMap<Uint8Array, Uint8Array>(),
    netascii: new WeakMap<Uint8Array, Uint8Array>(),
  };
  /** What was asked and has not ended. */
  readonly #asked = new Map<number, TftpRequest>();
  #port = 0;
  #isOver = false;

  private constructor(
    thread: Worker,
    service: TftpService,
    { bellFd, running }: Pick<TftpThreadStart, 'bellFd' | 'running'>,
  ) {
    this.#thread = thread;
    this.#service = service;
    this.#bellFd = bellFd;
    this.#running = running;
  }

  /** @throws Problem not_root, port_in_use */
  static async start(service: TftpService): Promise<TftpServer> {
    const workerData: TftpThreadStart = {
      addresses: service.addresses,
      port: service.port ?? TFTP_PORT,
      isSinglePort: service.isSinglePort ?? false,
      bellFd: bell.make(),
      running: new Int32Array(new SharedArrayBuffer(4)),
    };
    const thread = new Worker(new URL('./tftp-thread.ts', import.meta.url), { workerData });
    const server = new TftpServer(thread, service, workerData);
    const up = Promise.withResolvers<void>();
    thread.on('message', (news: FromTftpThread) => {
      if (news.kind === 'failed') up.reject(new Problem(news.problem, news.status));
      else if (news.kind === 'round') server.#hear(news);
      else {
        server.#port = news.port;
        up.resolve();
      }
    });
    thread.on('error', (error) => {
      up.reject(error);
      service.onCrash?.(error);
    });
    thread.once('exit', () => server.#closeBell());
    await up.promise;
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Transfers that run now, each with a descriptor of its own unless they share the port. */
  get running(): number {
    return Atomics.load(this.#running, 0);
  }

  /** Resolves when every socket is closed. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve));
    this.#order({ kind: 'stop' });
    await ended;
  }

  #hear({ counts, asks, ends }: TftpNews): void {
    for (const count of counts) this.#service.counters.count(count);
    for (const { id, ending } of ends) this.#tellEnd(id, ending);
    const found: Found[] = [];
    for (const ask of asks) {
      const { file, clientAddress, serverAddress } = ask;
      const request = { file, clientAddress, serverAddress };
      try {
        const answer = this.#service.fileOf(request);
        if (answer instanceof Promise)
          void answer
            .then((later) => this.#order({ kind: 'found', found: [this.#found(ask, request, later)] }))
            .catch((error: unknown) => this.#failed(ask, error));
        else found.push(this.#found(ask, request, answer));
      } catch (error) {
        this.#failed(ask, error);
      }
    }
    if (found.length > 0) this.#order({ kind: 'found', found });
  }

  #found({ id, mode }: Ask, request: TftpRequest, answer: TftpAnswer): Found {
    const name = request.file.slice(0, NAME_SHOWN);
    if (answer === 'forbidden')
      return { id, code: ERROR.accessViolation, message: `${name} is not given to anybody` };
    if (answer === undefined) return { id, code: ERROR.fileNotFound, message: `there is no file ${name}` };
    this.#asked.set(id, request);
    const caps = this.#service.capsOf(request.clientAddress);
    return { id, bytes: this.#sharedOf(answer.bytes, mode), caps };
  }

  #failed({ id, file }: Ask, error: unknown): void {
    this.#service.log.error({ err: error, file }, 'a file of the TFTP tree cannot be served');
    const found = { id, code: ERROR.notDefined, message: 'the edge failed' };
    this.#order({ kind: 'found', found: [found] });
  }

  #tellEnd(id: number, ending: string): void {
    const request = this.#asked.get(id);
    this.#asked.delete(id);
    if (request) this.#service.onEnd(request, ending);
  }

  #sharedOf(bytes: Uint8Array, mode: Ask['mode']): Uint8Array {
    const known = this.#shared[mode].get(bytes);
    if (known) return known;
    const content = mode === 'netascii' ? netascii(bytes) : bytes;
    const shared = new Uint8Array(new SharedArrayBuffer(content.length));
    shared.set(content);
    this.#shared[mode].set(bytes, shared);
    return shared;
  }

  #closeBell(): void {
    this.#isOver = true;
    close(this.#bellFd);
  }

  #order(order: ToTftpThread): void {
    // Its descriptor may be somebody else's by now.
    if (this.#isOver) return;
    this.#thread.postMessage(order);
    bell.ring(this.#bellFd);
  }
}

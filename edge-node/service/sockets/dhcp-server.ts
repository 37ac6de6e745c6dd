import { Worker } from 'node:worker_threads';
import type { JournalRecord } from '@bootswarm/controller/contract';
import { Problem, type ProblemBody } from '@bootswarm/images/format';
import type { Logger } from 'pino';
import type { Lease } from '../decide/lease.ts';
import type { Seen } from '../decide/seen.ts';
import type { SiteFacts } from '../decide/site.ts';
import type { Counters } from './counters.ts';
import type { RoundNews } from './dhcp-round.ts';
import type { Listener } from './interfaces.ts';

/** Firmware asks again after one to four seconds, and gives up after a few tries. */
const SLOW_COMMIT_MS = 500;

/** What the thread begins with. */
export interface ThreadStart {
  readonly listeners: readonly Listener[];
  readonly httpPort: number;
  readonly leaseFolder: string;
  /** Whether every decision is told, for the debug log. */
  readonly verbose: boolean;
  /** Names of the files that a machine can be told to load. */
  readonly bootFiles: readonly string[];
  readonly site: SiteFacts;
}

export type ToThread = { readonly kind: 'follow'; readonly site: SiteFacts } | { readonly kind: 'stop' };

export type FromThread =
  | { readonly kind: 'up'; readonly leases: readonly Lease[] }
  | { readonly kind: 'failed'; readonly problem: ProblemBody; readonly status: number }
  | ({ readonly kind: 'round' } & RoundNews);

export interface DhcpService extends ThreadStart {
  readonly addAllToJournal: (records: readonly Omit<JournalRecord, 'seq'>[]) => void;
  readonly onSeen: (seen: Seen) => void;
  readonly counters: Counters;
  readonly log: Logger;
  /** Told when the thread ended by itself: DHCP is then not served any more. */
  readonly onCrash: (error: unknown) => void;
}

/** The DHCP thread as seen from outside: it takes segments, and tells what it did. */
export class DhcpServer {
  readonly #thread: Worker;
  readonly #service: DhcpService;
  /** Whose each address is: what the thread decided last. */
  readonly #holders = new Map<string, Lease>();

  private constructor(thread: Worker, service: DhcpService) {
    this.#thread = thread;
    this.#service = service;
  }

  /** @throws Problem not_root, port_in_use */
  static async start(service: DhcpService): Promise<DhcpServer> {
    const { listeners, httpPort, leaseFolder, verbose, bootFiles, site } = service;
    const workerData: ThreadStart = { listeners, httpPort, leaseFolder, verbose, bootFiles, site };
    const thread = new Worker(new URL('./dhcp-thread.ts', import.meta.url), { workerData });
    const server = new DhcpServer(thread, service);
    const up = Promise.withResolvers<void>();
    thread.on('message', (news: FromThread) => {
      if (news.kind === 'failed') up.reject(new Problem(news.problem, news.status));
      else if (news.kind === 'round') server.#tell(news);
      else {
        for (const lease of news.leases) server.#holders.set(lease.address, lease);
        up.resolve();
      }
    });
    thread.on('error', (error) => {
      up.reject(error);
      service.onCrash(error);
    });
    await up.promise;
    return server;
  }

  /** How many addresses have a lease, live or not. */
  get leaseCount(): number {
    return this.#holders.size;
  }

  /** The lease of an address, live or not. */
  at(address: string): Lease | undefined {
    return this.#holders.get(address);
  }

  /** Of every address, live or not. */
  leases(): Iterable<Lease> {
    return this.#holders.values();
  }

  /** Serves these segments by this policy from now on. */
  follow(site: SiteFacts): void {
    this.#order({ kind: 'follow', site });
  }

  /** Resolves when the last round is over and the leases are closed. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve));
    this.#order({ kind: 'stop' });
    await ended;
  }

  #order(order: ToThread): void {
    this.#thread.postMessage(order);
  }

  #tell({ counts, told = [], journal, leases, seen = [], commitMs, failure, clockSetMs }: RoundNews): void {
    const { counters, addAllToJournal, onSeen, log } = this.#service;
    for (const count of counts) counters.count(count);
    for (const decision of told) log.debug(decision, 'decided');
    for (const lease of leases) this.#holders.set(lease.address, lease);
    for (const each of seen) onSeen(each);
    if (journal.length > 0) addAllToJournal(journal);
    if (commitMs > SLOW_COMMIT_MS)
      log.warn({ commitMs: Math.round(commitMs) }, 'the disk is slow to keep leases: ACKs waited for it');
    if (clockSetMs !== undefined)
      log.warn(
        { seconds: Math.round(clockSetMs / 1000) },
        'the clock was set: each lease goes on for as long as before',
      );
    if (failure === undefined) return;
    counters.count('dhcp leases not kept');
    log.error({ failure }, 'leases could not be kept: no ACK left');
  }
}

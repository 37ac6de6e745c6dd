import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  type AgentOrder,
  AgentReport,
  type InstallOrder,
  WorkBegin,
  WorkEnd,
} from '@bootswarm/controller/contract';
import { type Artefact, type Manifest, manifestBytes, releaseId } from '@bootswarm/images/format';
import { releasePath, releaseTarget } from '@bootswarm/images/trust';
import { FakeRepository } from '@bootswarm/images/trust/testing';

export interface ServedRelease {
  readonly manifest: Manifest;
  /** Where its artefacts lie, under their names. */
  readonly folder: string;
}

/** How an artefact is sent: `undefined` lets it pass. */
export type Fault = (artefact: Artefact, start: number, response: ServerResponse) => 'handled' | undefined;

/**
 * An edge for one machine, as a server on loopback: it has one installation to order, tries included, and remembers
 * what it was told.
 */
export class EdgeServer {
  readonly repository = new FakeRepository();
  readonly reports: (AgentReport & { readonly atMs: number })[] = [];
  readonly lines: string[] = [];
  readonly begun: WorkBegin[] = [];
  readonly ended: WorkEnd[] = [];
  firstBoots = 0;
  /** Given with each artefact that is asked for. */
  fault: Fault | undefined;
  /** How often an installation may be begun. */
  triesMost = 2;
  /** What the machine is to do; undefined for nothing. */
  order: Omit<InstallOrder, 'attempt' | 'ticket' | 'firstBootUrl'> | undefined;
  readonly #server: Server;
  readonly #releases = new Map<string, ServedRelease>();
  #tickets = 0;
  #port = 0;
  #armed = new AbortController();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<EdgeServer> {
    const server = createServer();
    const edge = new EdgeServer(server);
    server.on('request', (request, response) => {
      edge.#answer(request, response).catch((error: Error) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(error.message);
      });
    });
    await edge.#listen(0);
    return edge;
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  publish(...releases: readonly ServedRelease[]): void {
    this.repository.publish({ add: releases.map(({ manifest }) => releaseTarget(manifest)) });
    for (const release of releases) this.#releases.set(releaseId(release.manifest), release);
  }

  /** Arms an installation: its two tries begin anew. */
  arm(order: NonNullable<EdgeServer['order']>): void {
    this.order = order;
    this.#armed.abort();
    this.#armed = new AbortController();
    this.begun.length = 0;
    this.ended.length = 0;
    this.reports.length = 0;
    this.lines.length = 0;
    this.firstBoots = 0;
  }

  /** The number of the next try: one that was begun counts, however it ended, and one that failed before that. */
  get attempt(): number {
    const begun = new Set(this.begun.map(({ ticket }) => ticket));
    const early = this.ended.filter(({ ticket, outcome }) => outcome === 'failed' && !begun.has(ticket));
    return begun.size + early.length + 1;
  }

  get isDone(): boolean {
    return this.ended.some(({ outcome }) => outcome === 'done');
  }

  /** Breaks every connection, and answers nobody until it is let go on. */
  async pause(): Promise<void> {
    this.#port = this.port;
    await this.stop();
  }

  async goOn(): Promise<void> {
    await this.#listen(this.#port);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://edge');
    const [, first = '', ...rest] = url.pathname.split('/');
    if (first === 'trust') return this.#trust(decodeURIComponent(rest.join('/')), response);
    if (first === 'artefacts') return this.#artefact(rest[0] ?? '', request, response);
    if (first === 'first-boot') {
      this.firstBoots += 1;
      return void response.writeHead(this.firstBoots === 1 ? 200 : 410).end();
    }
    if (first !== 'agent') return void response.writeHead(404).end();
    const [what] = rest;
    if (what === 'intent') return this.#intent(url, response);
    const body: unknown = JSON.parse(await text(request));
    if (what === 'report') this.reports.push({ ...AgentReport.parse(body), atMs: performance.now() });
    else if (what === 'log') this.lines.push(...(body as { lines: string[] }).lines);
    else if (what === 'begin') this.begun.push(WorkBegin.parse(body));
    else if (what === 'end') this.ended.push(WorkEnd.parse(body));
    else return void response.writeHead(404).end();
    response.end('{}');
  }

  #intent(url: URL, response: ServerResponse): void {
    const token = this.#token();
    if (url.searchParams.get('after') === token) {
      const wait = AbortSignal.any([AbortSignal.timeout(5_000), this.#armed.signal]);
      // Asked anew, it hears of what was armed meanwhile.
      wait.addEventListener('abort', () => this.#give(token, response), { once: true });
    } else this.#give(token, response);
  }

  /** Another one for whatever there is another answer for. */
  #token(): string {
    const { order, attempt } = this;
    if (order === undefined || this.isDone) return 'nothing';
    return attempt > this.triesMost ? `failed-${order.epoch}` : `${order.epoch}-${attempt}`;
  }

  #give(token: string, response: ServerResponse): void {
    const { order } = this;
    const answer: AgentOrder = { token, intent: { kind: 'local' } };
    if (order === undefined || token === 'nothing') return void response.end(JSON.stringify(answer));
    if (token.startsWith('failed'))
      return void response.end(JSON.stringify({ ...answer, failed: 'it was tried as often as it may be' }));
    this.#tickets += 1;
    const install: InstallOrder = {
      ...order,
      attempt: this.attempt,
      ticket: `ticket-${this.#tickets}`,
      // The host as QEMU's user network shows it.
      firstBootUrl: `http://10.0.2.2:${this.port}/first-boot/${order.epoch}`,
    };
    response.end(JSON.stringify({ ...answer, install }));
  }

  async #trust(name: string, response: ServerResponse): Promise<void> {
    const release = [...this.#releases.values()].find(
      ({ manifest }) => releasePath(releaseId(manifest)) === name,
    );
    if (release) return void response.end(manifestBytes(release.manifest));
    const chunks = await this.repository.fetch(name);
    if (!chunks) return void response.writeHead(404).end();
    for await (const chunk of chunks) response.write(chunk);
    response.end();
  }

  #artefact(sha256: string, request: IncomingMessage, response: ServerResponse): void {
    for (const { manifest, folder } of this.#releases.values()) {
      const artefact = manifest.artefacts.find((each) => each.sha256 === sha256);
      if (!artefact) continue;
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (this.fault?.(artefact, start, response) === 'handled') return;
      response.writeHead(start === 0 ? 200 : 206, { 'content-length': artefact.length - start });
      createReadStream(join(folder, artefact.name), { start })
        .on('error', () => response.destroy())
        .pipe(response);
      return;
    }
    response.writeHead(404).end();
  }
}

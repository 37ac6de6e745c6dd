import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, endpoints } from '@bootswarm/controller/contract';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { pino } from 'pino';
import { ensureOperatorToken } from '../access/tokens.ts';
import { UNDESCRIBED } from '../http/api.ts';
import { type Listener, listen } from '../http/listener.ts';
import { apiOf } from '../http/routes.ts';
import type { PowerSettings } from '../power/make-power.ts';
import { makeServices, type Services } from '../services.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { StateStore } from '../store/state-store.ts';

interface Parts {
  readonly folder: string;
  readonly services: Services;
  readonly listener: Listener;
  readonly operatorToken: string;
  readonly log: LogBook;
}

interface LogRecord {
  readonly level: number;
  readonly msg: string;
  readonly request?: string;
}

/** Keeps what is logged. */
class LogBook {
  readonly records: LogRecord[] = [];
  #next = Promise.withResolvers<LogRecord>();

  write(line: string): void {
    const record = JSON.parse(line) as LogRecord;
    this.records.push(record);
    this.#next.resolve(record);
    this.#next = Promise.withResolvers();
  }

  /** The next record that is written. */
  next(): Promise<LogRecord> {
    return this.#next.promise;
  }
}

/** A controller over real HTTP on the loopback, with its state in memory and its artefacts in a temporary folder. */
export class ControllerUnderTest implements AsyncDisposable {
  readonly folder: string;
  readonly services: Services;
  readonly url: string;
  readonly operatorToken: string;
  /** Calls with the operator's token. */
  readonly operator: Client;
  readonly log: LogBook;
  readonly #listener: Listener;

  private constructor({ folder, services, listener, operatorToken, log }: Parts) {
    this.log = log;
    this.folder = folder;
    this.services = services;
    this.url = `http://127.0.0.1:${listener.port}`;
    this.operatorToken = operatorToken;
    this.operator = this.client(operatorToken);
    this.#listener = listener;
  }

  /** @param replace puts a named fake in the place of a service. */
  static async start(
    store: StateStore = new MemoryStore(),
    replace: (services: Services) => Partial<Services> = () => ({}),
    power: Partial<PowerSettings> = {},
  ): Promise<ControllerUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-controller-'));
    const made = await makeServices(store, await ArtefactFolder.open(folder), {
      data: folder,
      webhookNetworks: ['127.0.0.0/8'],
      ...power,
    });
    const services = { ...made, ...replace(made) };
    const operatorToken = (await ensureOperatorToken(services.store, true)) ?? '';
    const log = new LogBook();
    const listener = await listen(apiOf(services, pino({ level: 'debug' }, log)), 0, '127.0.0.1');
    return new ControllerUnderTest({ folder, services, listener, operatorToken, log });
  }

  client(token: string): Client {
    return new Client({ url: this.url, token });
  }

  /** Adds an edge and joins it. @returns its token. */
  async joinEdge(name: string): Promise<string> {
    const { joinToken } = await this.operator.call(endpoints.addEdge, { body: { name } });
    return (await this.client(joinToken).call(endpoints.join, {})).token;
  }

  /** Answers a request as it stands, for what the contract's client would not send. */
  fetch(
    path: string,
    init: RequestInit = {},
    token: string | undefined = this.operatorToken,
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    return fetch(this.url + path, { ...init, headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.services.events.stop();
    this.services.feed.stop();
    this.services.machines.stop();
    await this.services.power.stop();
    await this.#listener.close(0);
    await rm(this.folder, { recursive: true });
    const untold = this.log.records.filter(({ msg }) => msg === UNDESCRIBED);
    assert.deepEqual(untold, [], 'contract/endpoint-problems.ts names them');
  }
}

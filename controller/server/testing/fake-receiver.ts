import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Plays what webhooks are sent to: keeps what comes, and answers as it is told. */
export class FakeReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** HTTP status of the answers; `silent` never answers. */
  answers: number | 'silent' = 200;
  location: string | undefined;
  readonly #server: Server;
  #came = Promise.withResolvers<void>();

  private constructor() {
    this.#server = createServer(async (incoming, outgoing) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      this.received.push({ headers: incoming.headers, body });
      this.#came.resolve();
      this.#came = Promise.withResolvers();
      if (this.answers === 'silent') return;
      outgoing.writeHead(this.answers, this.location === undefined ? {} : { location: this.location }).end();
    });
  }

  static async start(): Promise<FakeReceiver> {
    const receiver = new FakeReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  /** Once so many came. */
  async count(wanted: number): Promise<readonly Received[]> {
    while (this.received.length < wanted) await this.#came.promise;
    return this.received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

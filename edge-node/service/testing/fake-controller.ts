import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  Client,
  type EdgeSwarmAnswer,
  EdgeSwarmReport,
  ErrorBody,
  endpoints,
} from '@bootswarm/controller/contract';

/** Answers what edges ask of the swarm between them, and nothing else. */
export class FakeController implements AsyncDisposable {
  readonly url: string;
  /** By the token of the edge: what it told, in order. */
  readonly reports = new Map<string, EdgeSwarmReport[]>();
  /** What an edge is answered; undefined where such a controller knows of no swarm. */
  answer: (edge: string, report: EdgeSwarmReport) => EdgeSwarmAnswer | undefined = () => undefined;
  readonly #close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<FakeController> {
    const server = createServer(async (request, response) => {
      const { status, body } = await controller.#respond(request);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    const controller = new FakeController(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      () => {
        server.close();
        server.closeAllConnections();
      },
    );
    return controller;
  }

  client(edge: string): Client {
    return new Client({ url: this.url, token: edge });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  async #respond(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const edge = (request.headers.authorization ?? '').replace('Bearer ', '');
    const report = EdgeSwarmReport.parse(JSON.parse((await buffer(request)).toString()));
    this.reports.set(edge, [...(this.reports.get(edge) ?? []), report]);
    const answer = request.url === endpoints.edgeSwarm.path ? this.answer(edge, report) : undefined;
    if (answer) return { status: 200, body: answer };
    const error = { code: 'route_unknown', message: 'no such route', remedy: 'none' };
    return { status: 404, body: ErrorBody.parse({ error }) };
  }
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A path through the network to a controller that fails once, in the middle of an upload: it breaks, or carries no more. */
export class FailingPath implements AsyncDisposable {
  /** Bytes that went through towards the controller, before and after the failure. */
  carried = 0;
  /** Resolves when it has failed. */
  readonly failed: Promise<void>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #afterBytes: number;
  readonly #how: 'break' | 'stall';
  #failed = Promise.withResolvers<void>();
  #hasFailed = false;

  private constructor(targetPort: number, how: 'break' | 'stall', afterBytes: number) {
    this.#how = how;
    this.#afterBytes = afterBytes;
    this.failed = this.#failed.promise;
    this.#server = createServer((client) => this.#carry(client, connect(targetPort, '127.0.0.1')));
  }

  static async start(targetPort: number, how: 'break' | 'stall', afterBytes: number): Promise<FailingPath> {
    const path = new FailingPath(targetPort, how, afterBytes);
    path.#server.listen(0, '127.0.0.1');
    await once(path.#server, 'listening');
    return path;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #carry(client: Socket, target: Socket): void {
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
    }
    client.on('data', (bytes) => {
      this.carried += bytes.length;
      // Held back as far as the controller takes it, so that what was carried has arrived.
      if (!target.write(bytes)) client.pause();
      if (!this.#hasFailed && this.carried > this.#afterBytes) this.#fail(client);
    });
    target.on('drain', () => {
      if (!this.#hasFailed || this.#how === 'break') client.resume();
    });
    target.pipe(client);
  }

  #fail(client: Socket): void {
    this.#hasFailed = true;
    if (this.#how === 'stall') client.pause();
    else for (const socket of this.#sockets) socket.destroy();
    this.#failed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

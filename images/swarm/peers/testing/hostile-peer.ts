import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeHandshake, HANDSHAKE_BYTES } from '../handshake.ts';
import { type BlockRange, encodeBlockHeader, encodeMessage } from '../messages.ts';
import { WireDecoder } from '../wire.ts';

export interface HostileOptions {
  readonly from: string;
  readonly to: { readonly host: string; readonly port: number };
  /** 40 hexadecimal digits. */
  readonly infohash: string;
  /** Without it no block is larger than 16 KiB, and a piece has many. */
  readonly extended?: boolean;
}

/** A peer that greets as it should, and then sends whatever it is told. */
export class HostilePeer {
  readonly #socket: Socket;
  /** Wrong blocks that it gave. */
  given = 0;
  /** Resolves when the other side closed the connection. */
  readonly closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.resume();
    // Not by once(), which rejects where the connection ends with an error: it is how hostile peers are treated.
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** Connects without a word. */
  static async connect({ from, to }: Pick<HostileOptions, 'from' | 'to'>): Promise<HostilePeer> {
    const socket = connect({ ...to, localAddress: from });
    const peer = new HostilePeer(socket);
    await Promise.race([once(socket, 'connect'), peer.closed]);
    return peer;
  }

  /** Connects and greets; the other side takes it for a peer. */
  static async greet(options: HostileOptions): Promise<HostilePeer> {
    const peer = await HostilePeer.connect(options);
    peer.send(
      encodeHandshake({
        infohash: Buffer.from(options.infohash, 'hex'),
        peerId: Buffer.from(`-XX0000-${Math.random().toString().padEnd(14, '0').slice(2, 14)}`),
        fast: true,
        extended: options.extended ?? true,
      }),
    );
    return peer;
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /**
   * Says that it has everything, and answers the first requests with wrong bytes; then it goes away, or says nothing
   * more. Another peer will be asked for the rest of the piece, its first block among it.
   * @returns when the connection is closed.
   */
  async spoil({
    pieceCount,
    blocks,
    after,
  }: {
    pieceCount: number;
    blocks: number;
    after: 'go' | 'wait';
  }): Promise<void> {
    this.#answer(pieceCount, (request) => {
      if (request.begin === 0 || this.given >= blocks) return;
      this.given += 1;
      this.send(encodeBlockHeader(request));
      this.send(Buffer.alloc(request.length, 0xbd));
      if (this.given === blocks && after === 'go') this.#socket.end();
    });
    this.withhold(false);
    await this.closed;
  }

  /** Says that it has everything, and gives what it is asked for in drops, so that it is never silent for long. */
  trickle(pieceCount: number, dropBytes: number, everyMs: number): void {
    const owed: BlockRange[] = [];
    let given = 0;
    this.#answer(pieceCount, (request) => owed.push(request));
    this.withhold(false);
    const timer = setInterval(() => {
      const [block] = owed;
      if (!block) return;
      if (given === 0) this.send(encodeBlockHeader(block));
      const bytes = Math.min(dropBytes, block.length - given);
      this.send(Buffer.alloc(bytes, 0xbd));
      given += bytes;
      if (given < block.length) return;
      owed.shift();
      given = 0;
    }, everyMs);
    void this.closed.then(() => clearInterval(timer));
  }

  #answer(pieceCount: number, onRequest: (request: BlockRange) => void): void {
    const decoder = new WireDecoder(
      {
        onMessage: (message) => {
          if (message.type === 'request') onRequest(message);
        },
        onBlockStart: () => undefined,
        onBlockBytes: () => {},
        onBlockEnd: () => {},
      },
      { pieceCount, mostBlockBytes: 1024 * 1024 },
    );
    let greeting = HANDSHAKE_BYTES;
    this.#socket.on('data', (bytes: Buffer) => {
      const skip = Math.min(greeting, bytes.length);
      greeting -= skip;
      decoder.push(bytes.subarray(skip));
    });
  }

  /** An extended message, with any payload. */
  sayExtended(id: number, payload: Uint8Array | string): void {
    this.send(encodeMessage({ type: 'extended', id, payload: Buffer.from(payload) }));
  }

  /** Says that it has everything, and never that anything of it may be fetched, or never answers. */
  withhold(isChoking: boolean): void {
    this.send(encodeMessage({ type: 'haveAll' }));
    if (!isChoking) this.send(encodeMessage({ type: 'unchoke' }));
  }

  stopReading(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}

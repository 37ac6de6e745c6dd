import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode, type TftpMode, type TftpPacket } from '@bootswarm/edge-node/tftp';

const LOCALHOST = '127.0.0.1';

/** A client's socket: everything that comes is kept until it is taken. */
export class FakeTftpClient {
  readonly #socket: Socket;
  readonly #serverPort: number;
  readonly #came: { packet: TftpPacket; from: RemoteInfo }[] = [];
  #isClosed = false;
  /** Port of the transfer that last answered. */
  transferPort = 0;

  private constructor(socket: Socket, serverPort: number) {
    this.#socket = socket;
    this.#serverPort = serverPort;
    socket.on('message', (bytes, from) => {
      const decoded = decode(bytes);
      assert.ok(decoded.ok);
      this.#came.push({ packet: decoded.packet, from });
    });
  }

  static async bind(serverPort: number): Promise<FakeTftpClient> {
    const socket = createSocket('udp4');
    socket.bind(0, LOCALHOST);
    await once(socket, 'listening');
    return new FakeTftpClient(socket, serverPort);
  }

  /** Closing twice is no error. */
  close(): void {
    if (!this.#isClosed) this.#socket.close();
    this.#isClosed = true;
  }

  sendRaw(bytes: Uint8Array, port = this.#serverPort): void {
    this.#socket.send(bytes, port, LOCALHOST);
  }

  send(packet: TftpPacket, port = this.transferPort): void {
    this.sendRaw(encode(packet), port);
  }

  request(file: string, options: Readonly<Record<string, string>> = {}, mode: TftpMode = 'octet'): void {
    this.send({ kind: 'rrq', file, mode, options: new Map(Object.entries(options)) }, this.#serverPort);
  }

  async next(timeoutMs = 3000): Promise<TftpPacket> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(1)) {
      const came = this.#came.shift();
      if (!came) continue;
      this.transferPort = came.from.port;
      return came.packet;
    }
    throw new Error('nothing came');
  }

  /** How many packets came that nobody took. */
  get left(): number {
    return this.#came.length;
  }

  async fetch(
    file: string,
    options: Readonly<Record<string, string>> = {},
    mode: TftpMode = 'octet',
  ): Promise<Uint8Array> {
    this.request(file, options, mode);
    const parts: Uint8Array[] = [];
    const blockBytes = Number(options['blksize'] ?? 512);
    const windowSize = Number(options['windowsize'] ?? 1);
    for (;;) {
      const packet = await this.next();
      if (packet.kind === 'oack') this.send({ kind: 'ack', block: 0 });
      if (packet.kind === 'error') throw new Error(`${packet.code} ${packet.message}`);
      if (packet.kind !== 'data') continue;
      // Sent again, as this process was slow to acknowledge it.
      if (packet.block <= parts.length) continue;
      assert.equal(packet.block, parts.length + 1);
      parts.push(packet.bytes);
      const isLast = packet.bytes.length < blockBytes;
      if (isLast || parts.length % windowSize === 0) this.send({ kind: 'ack', block: packet.block });
      if (isLast) return Uint8Array.from(Buffer.concat(parts));
    }
  }
}

import type { TftpPacket } from '../index.ts';

/**
 * A client that reads a file: RFC 1350 with the windows of RFC 7440. It is as talkative as clients get: any block
 * that it did not expect is answered with the last ACK again, which is what feeds the Sorcerer's Apprentice.
 */
export class Receiver {
  readonly parts: Uint8Array[] = [];
  isComplete = false;
  #expected = 1;
  #inWindow = 0;
  readonly #blockBytes: number;
  readonly #windowSize: number;

  constructor(blockBytes: number, windowSize: number) {
    this.#blockBytes = blockBytes;
    this.#windowSize = windowSize;
  }

  /** The answer to a packet of the server, if it earns one. */
  receive(packet: TftpPacket): TftpPacket | undefined {
    if (packet.kind === 'oack') return this.#expected === 1 ? this.#acknowledge() : undefined;
    if (packet.kind !== 'data') return undefined;
    if (this.isComplete || packet.block !== (this.#expected & 0xffff)) return this.#acknowledge();
    this.parts.push(packet.bytes);
    this.#expected++;
    this.#inWindow++;
    this.isComplete = packet.bytes.length < this.#blockBytes;
    return this.isComplete || this.#inWindow === this.#windowSize ? this.#acknowledge() : undefined;
  }

  #acknowledge(): TftpPacket {
    this.#inWindow = 0;
    return { kind: 'ack', block: (this.#expected - 1) & 0xffff };
  }
}

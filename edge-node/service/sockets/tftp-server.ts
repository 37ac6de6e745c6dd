import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import {
  begin,
  type Caps,
  decode,
  ERROR,
  encode,
  negotiate,
  netascii,
  type Outgoing,
  onPacket,
  onTimeout,
  type Step,
  type TftpPacket,
} from '@bootswarm/edge-node/tftp';
import type { Logger } from 'pino';
import { problem } from '../problems.ts';
import type { Counters } from './counters.ts';

const TFTP_PORT = 69;
/** Below the path MTU of common tunnels (boot-protocols.md, quirk 10). */
const CAPS: Caps = { maxBlockBytes: 1408, maxWindow: 16 };
/** Bounds descriptors whatever is asked for; a request above it is dropped, and its client asks again. */
const TRANSFERS_MOST = 2000;

export interface TftpService {
  readonly address: string;
  /** 69 unless told. */
  readonly port?: number;
  /** The bytes of a file of the virtual tree; undefined where there is no such file. */
  readonly fileOf: (name: string) => Uint8Array | undefined;
  /** Told how each transfer of a known file ended. */
  readonly onEnd: (clientAddress: string, file: string, ending: string) => void;
  readonly counters: Counters;
  readonly log: Logger;
}

/** Serves TFTP on one address, read only. */
export class TftpServer {
  readonly #socket: Socket;
  readonly #service: TftpService;
  /** By client and port: a request that comes twice starts one transfer. */
  readonly #transfers = new Map<string, TransferSocket>();
  /** Files as netascii, so that a flood of requests shares one copy. */
  readonly #converted = new WeakMap<Uint8Array, Uint8Array>();

  private constructor(socket: Socket, service: TftpService) {
    this.#socket = socket;
    this.#service = service;
  }

  /** @throws Problem not_root, port_in_use */
  static async start(service: TftpService): Promise<TftpServer> {
    const socket = createSocket('udp4');
    const server = new TftpServer(socket, service);
    await bindTftp(socket, service.address, service.port ?? TFTP_PORT);
    socket.on('message', (bytes, client) => server.#receive(bytes, client));
    socket.on('error', (error) => service.log.error({ err: error }, 'the TFTP socket failed'));
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Transfers that run now, each with a descriptor of its own. */
  get running(): number {
    return this.#transfers.size;
  }

  stop(): void {
    this.#socket.close();
    for (const transfer of this.#transfers.values()) transfer.end('the edge stops');
  }

  #receive(bytes: Uint8Array, client: RemoteInfo): void {
    const passedOver = this.#passedOver(bytes, client);
    if (passedOver !== undefined) this.#service.counters.count(`tftp ${passedOver}`);
  }

  /** Starts a transfer, or refuses it, or says why the datagram is not worth an answer. */
  #passedOver(bytes: Uint8Array, client: RemoteInfo): string | undefined {
    // RFC 768 allows port 0 for "no answer wanted".
    if (client.port === 0) return 'passed over: no port to answer to';
    const decoded = decode(bytes);
    if (!decoded.ok) return `malformed: ${decoded.reason}`;
    const { packet } = decoded;
    if (packet.kind === 'wrq') return this.#refuse(client, ERROR.accessViolation, 'this server is read only');
    if (packet.kind !== 'rrq') return `passed over: ${packet.kind} on port 69`;
    const key = `${client.address}:${client.port}`;
    const running = this.#transfers.get(key);
    if (running?.isAnswerTo(bytes)) return 'passed over: request repeated';
    // ROMs use one port for all that they load, and some leave the last block unacknowledged or start over.
    running?.end('superseded by a new request');
    if (this.#transfers.size >= TRANSFERS_MOST) return 'passed over: too many transfers';

    const name = packet.file.replace(/^\/+/, '');
    const file = this.#service.fileOf(name);
    if (!file) return this.#refuse(client, ERROR.fileNotFound, `there is no file ${name.slice(0, 128)}`);
    const content = packet.mode === 'netascii' ? this.#netasciiOf(file) : file;
    const terms = negotiate(packet.options, { lengthBytes: content.length }, CAPS);
    const transfer = new TransferSocket(client, bytes, content, (ending) => {
      this.#transfers.delete(key);
      this.#service.counters.count(`tftp ${ending}`);
      this.#service.onEnd(client.address, name, ending);
    });
    this.#transfers.set(key, transfer);
    // The reply must come from the address that was asked (quirk 13).
    transfer.start(this.#service.address, begin(content.length, terms));
    return undefined;
  }

  #netasciiOf(file: Uint8Array): Uint8Array {
    const converted = this.#converted.get(file) ?? netascii(file);
    this.#converted.set(file, converted);
    return converted;
  }

  #refuse(client: RemoteInfo, code: number, message: string): string {
    this.#service.log.debug({ client: client.address, message }, 'TFTP request refused');
    this.#socket.send(encode({ kind: 'error', code, message }), client.port, client.address, () => {});
    return `refused: error ${code}`;
  }
}

/** One transfer on a port of its own (RFC 1350: a TID). The steps are decided by the protocol's state machine. */
class TransferSocket {
  readonly #client: RemoteInfo;
  readonly #request: Uint8Array;
  readonly #content: Uint8Array;
  readonly #onEnd: (ending: string) => void;
  readonly #socket = createSocket('udp4');
  #step: Step | undefined;
  #wasHeard = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: RemoteInfo, request: Uint8Array, content: Uint8Array, onEnd: (ending: string) => void) {
    this.#client = client;
    this.#request = request;
    this.#content = content;
    this.#onEnd = onEnd;
  }

  start(address: string, first: Step): void {
    this.#socket.on('error', (error) => this.end(error.message));
    this.#socket.on('message', (bytes, from) => this.#receive(bytes, from));
    this.#socket.bind(0, address, () => this.#take(first));
  }

  /** Whether `request` is the one that began this, sent twice, rather than a client that begins anew. */
  isAnswerTo(request: Uint8Array): boolean {
    const fellSilent = this.#wasHeard && (this.#step?.state.timeouts ?? 0) > 0;
    return !fellSilent && Buffer.compare(this.#request, request) === 0;
  }

  end(ending: string): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#socket
      .removeAllListeners('error')
      .on('error', () => {})
      .close();
    this.#onEnd(ending);
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    if (from.port !== this.#client.port || from.address !== this.#client.address) {
      // A stranger on this port must not disturb the transfer (RFC 1350, section 4).
      if (from.port === 0) return;
      const message = 'this port is for another transfer';
      this.#post({ kind: 'error', code: ERROR.unknownTransfer, message }, from);
      return;
    }
    const decoded = decode(bytes);
    if (!decoded.ok || !this.#step) return;
    this.#wasHeard = true;
    this.#take(onPacket(this.#step.state, decoded.packet));
  }

  #take(step: Step): void {
    this.#step = step;
    if (step.done !== undefined) this.end(step.done);
    if (step.done !== undefined || step.send.length === 0) return;
    for (const outgoing of step.send) this.#post(this.#packetOf(outgoing), this.#client);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#take(onTimeout(step.state)), step.state.waitMs);
  }

  #packetOf(outgoing: Outgoing): TftpPacket {
    if (outgoing.kind === 'oack') return outgoing;
    const { block, byteOffset, lengthBytes } = outgoing;
    return { kind: 'data', block, bytes: this.#content.subarray(byteOffset, byteOffset + lengthBytes) };
  }

  #post(packet: TftpPacket, to: RemoteInfo): void {
    // An unreachable client shows as a timeout; the error of one datagram says no more.
    this.#socket.send(encode(packet), to.port, to.address, () => {});
  }
}

function bindTftp(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const facts = { protocol: 'UDP', port, address, orElse: '' };
      if (error.code === 'EADDRINUSE') reject(problem('port_in_use', { facts, cause: error }));
      else if (error.code === 'EACCES') reject(problem('not_root', { facts, cause: error }));
      else reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
}

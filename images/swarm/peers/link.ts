import { connect, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { decodeHandshake, HANDSHAKE_BYTES, type Handshake } from './handshake.ts';
import { WireDecoder, type WireLimits, type WireListener } from './wire.ts';

/** Address and port of a peer. */
export interface Endpoint {
  /** Dotted IPv4, or IPv6. */
  readonly host: string;
  readonly port: number;
}

export interface LinkOwner {
  /** The peer's handshake came. @returns who hears its messages. @throws what closes the link. */
  onHandshake(handshake: Handshake): { readonly listener: WireListener; readonly limits: WireLimits };
  /** The link is closed, by whomever. */
  onClosed(reason: Error | undefined): void;
}

/**
 * One read takes what has come, up to this: four of libuv's own 64 KiB. Every socket shares it, since each read is
 * heard to its end before the next one begins.
 */
const RECEIVE_BYTES = 256 * 1024;
let receiveBuffer: Uint8Array | undefined;

/** Who hears what is read. */
interface Heard {
  by?: (bytes: Uint8Array) => void;
}

function onread(heard: Heard): OnReadOpts {
  receiveBuffer ??= new Uint8Array(RECEIVE_BYTES);
  return {
    buffer: receiveBuffer,
    callback: (bytes, memory) => {
      heard.by?.(memory.subarray(0, bytes));
      return true;
    },
  };
}

/**
 * The same connection as a socket that reads into the shared buffer. Node has `onread` for sockets that dial alone; those
 * that a server took in get 64 KiB of fresh memory for each read, which made V8 collect 58 times a GiB, a quarter of
 * what fetching cost. The handle is no part of Node's interface: where it is not found, the socket stays as it is.
 */
function withReceiveBuffer(socket: Socket, heard: Heard): Socket | undefined {
  const taken = socket as unknown as { _handle?: { useUserBuffer?: unknown } | null };
  const handle = taken._handle;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  taken._handle = null;
  // It holds nothing any more: the server only counts it as gone.
  socket.destroy();
  return new Socket({ handle, onread: onread(heard) } as SocketConstructorOpts);
}

/** A connection to a peer: bytes to messages, messages to bytes. It decides nothing. */
export class PeerLink {
  readonly remote: Endpoint;
  readonly isOutgoing: boolean;
  /** When bytes came last, and when any left; of `performance.now()`. */
  receivedAtMs = performance.now();
  sentAtMs = performance.now();
  readonly #socket: Socket;
  readonly #owner: LinkOwner;
  #begun: Buffer | undefined = Buffer.alloc(0);
  #decoder: WireDecoder | undefined;
  #reason: Error | undefined;

  private constructor(socket: Socket, remote: Endpoint, isOutgoing: boolean, owner: LinkOwner) {
    this.#socket = socket;
    this.remote = remote;
    this.isOutgoing = isOutgoing;
    this.#owner = owner;
    socket.setNoDelay(true);
    // Told by 'close'.
    socket.on('error', (error) => {
      this.#reason ??= error;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => owner.onClosed(this.#reason));
  }

  /** Connects from an address of this host; told by `onClosed` where it fails. */
  static connect(endpoint: Endpoint, localAddress: string | undefined, owner: LinkOwner): PeerLink {
    const heard: Heard = {};
    const local = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ ...endpoint, ...local, onread: onread(heard) });
    const link = new PeerLink(socket, endpoint, true, owner);
    heard.by = (bytes) => link.#receive(bytes);
    return link;
  }

  /** @param socket that a server with `pauseOnConnect` took in; it is the link's from now on. */
  static accept(socket: Socket, remote: Endpoint, owner: LinkOwner): PeerLink {
    const heard: Heard = {};
    const own = withReceiveBuffer(socket, heard);
    const link = new PeerLink(own ?? socket, remote, false, owner);
    heard.by = (bytes) => link.#receive(bytes);
    if (!own) socket.on('data', (bytes) => link.#receive(bytes as Buffer)).resume();
    return link;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Bytes that were given to `send` and did not leave yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.destroyed) return;
    this.sentAtMs = performance.now();
    this.#socket.write(bytes);
  }

  /** Header and block leave in one writev. @param onLeft told when the bytes are free, whether they left or not. */
  sendBlock(header: Uint8Array, block: Uint8Array, onLeft: () => void): void {
    if (this.#socket.destroyed) {
      onLeft();
      return;
    }
    this.sentAtMs = performance.now();
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(block, onLeft);
    this.#socket.uncork();
  }

  /** What is sent meanwhile leaves together. */
  together(send: () => void): void {
    this.#socket.cork();
    send();
    this.#socket.uncork();
  }

  close(reason?: Error): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#socket.destroyed) return;
    this.receivedAtMs = performance.now();
    try {
      if (this.#decoder) this.#decoder.push(bytes);
      else this.#greet(bytes);
    } catch (error) {
      this.close(error as Error);
    }
  }

  /** Until the handshake is whole: at most 68 bytes are kept, of which a wrong one is seen at once. */
  #greet(bytes: Uint8Array): void {
    const before = this.#begun?.length ?? 0;
    const begun = Buffer.concat([this.#begun ?? bytes, bytes.subarray(0, HANDSHAKE_BYTES - before)]);
    const handshake = decodeHandshake(begun);
    this.#begun = handshake ? undefined : begun;
    if (!handshake) return;
    const { listener, limits } = this.#owner.onHandshake(handshake);
    this.#decoder = new WireDecoder(listener, limits);
    this.#decoder.push(bytes.subarray(HANDSHAKE_BYTES - before));
  }
}

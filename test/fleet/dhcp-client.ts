import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DhcpPacket, decode, encode } from '@bootswarm/edge-node/dhcp4';
import { type Ask, askPacket, type Grant, grantIn } from './dhcp-asks.ts';

const CLIENT_PORT = 68;
const SERVER_PORT = 67;
const BROADCAST = '255.255.255.255';
/** After each try, as iPXE waits; the last one is the end of its patience. */
const WAITS_MS = [1_000, 2_000, 4_000, 8_000];
const XID_BELOW = 2 ** 31;

type Asking = Pick<Ask, 'asker' | 'spec'>;

/** The DHCP clients of all machines that a process plays: one socket, and an answer belongs to whose xid it bears. */
export class DhcpClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: DhcpPacket) => void>();
  #xid = Math.floor(Math.random() * XID_BELOW);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      const decoded = decode(bytes);
      if (decoded.ok && decoded.packet.op === 'reply')
        this.#waiting.get(decoded.packet.xid)?.(decoded.packet);
    });
  }

  /** @throws EACCES, EADDRINUSE of the system. */
  static async open(): Promise<DhcpClient> {
    const socket = createSocket('udp4');
    socket.bind(CLIENT_PORT);
    await once(socket, 'listening');
    socket.setBroadcast(true);
    return new DhcpClient(socket);
  }

  /** A whole exchange; undefined where nobody gives an address. @throws the signal's reason. */
  async lease(asking: Asking, signal: AbortSignal): Promise<Grant | undefined> {
    const offer = await this.#ask({ ...asking, type: 'DISCOVER' }, 'OFFER', signal);
    if (!offer) return undefined;
    const offered = { address: offer.address, server: offer.server };
    return this.#ask({ ...asking, type: 'REQUEST', offered }, 'ACK', signal);
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(
    ask: Omit<Ask, 'xid'>,
    wanted: 'OFFER' | 'ACK',
    signal: AbortSignal,
  ): Promise<Grant | undefined> {
    const xid = this.#nextXid();
    const bytes = encode(askPacket({ ...ask, xid }));
    const { promise, resolve } = Promise.withResolvers<Grant>();
    this.#waiting.set(xid, (reply) => {
      const grant = grantIn(reply, wanted);
      if (grant) resolve(grant);
    });
    try {
      for (const waitMs of WAITS_MS) {
        this.#socket.send(bytes, SERVER_PORT, BROADCAST);
        const grant = await within(waitMs, promise, signal);
        if (grant) return grant;
      }
      return undefined;
    } finally {
      this.#waiting.delete(xid);
    }
  }

  #nextXid(): number {
    this.#xid = (this.#xid + 1) % XID_BELOW;
    return this.#xid;
  }
}

/** undefined where it does not come in time. @throws the signal's reason. */
async function within<T>(ms: number, coming: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(
    () => undefined,
  );
  const came = await Promise.race([coming, late]);
  over.abort();
  signal.throwIfAborted();
  return came;
}

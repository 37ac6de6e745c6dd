/**
 * `dhcp-load.ts KIND SERVER LOCAL ...`: plays a relay at LOCAL, with the machines of a fault behind it, and prints
 * what became of them as JSON. Runs in a host's namespace; ends by itself.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DhcpPacket,
  decode,
  encode,
  formatMac,
  type MessageType,
  messageType,
  requestedAddress,
  requestOf,
  serverId,
} from '@bootswarm/edge-node/dhcp4';
import { randomFrom } from '../lab/index.ts';

const RELAY_PORT = 67;
const ANSWER_MS = 1500;
const [kind = '', server = '', local = '', ...rest] = process.argv.slice(2);

interface Asked {
  readonly mac: string;
  readonly type: MessageType;
  readonly requested?: string;
  readonly ciaddr?: string;
}

/** A relay's socket, and the answers that are waited for by xid. */
class Relay {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: DhcpPacket) => void>();
  #xid = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      const decoded = decode(bytes);
      if (decoded.ok) this.#waiting.get(decoded.packet.xid)?.(decoded.packet);
    });
  }

  static async open(): Promise<Relay> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(RELAY_PORT, local);
    await once(socket, 'listening');
    return new Relay(socket);
  }

  /** Sends, and waits for nothing. */
  post(asked: Asked): void {
    this.#send(asked, this.#next());
  }

  postRaw(bytes: Uint8Array): void {
    this.#socket.send(bytes, RELAY_PORT, server);
  }

  /** The answer, or undefined where none came. */
  async ask(asked: Asked): Promise<DhcpPacket | undefined> {
    const xid = this.#next();
    const timeout = new AbortController();
    const answered = new Promise<DhcpPacket>((resolve) => this.#waiting.set(xid, resolve));
    this.#send(asked, xid);
    const late = sleep(ANSWER_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
    const reply = await Promise.race([answered, late]);
    timeout.abort();
    this.#waiting.delete(xid);
    return reply;
  }

  /** A whole exchange. */
  async lease(mac: string): Promise<string | undefined> {
    const offer = await this.ask({ mac, type: 'DISCOVER' });
    if (!offer || messageType.read(offer.options) !== 'OFFER') return undefined;
    const ack = await this.ask({ mac, type: 'REQUEST', requested: offer.yiaddr });
    return ack && messageType.read(ack.options) === 'ACK' ? ack.yiaddr : undefined;
  }

  close(): void {
    this.#socket.close();
  }

  #next(): number {
    this.#xid += 1;
    return this.#xid;
  }

  #send({ mac, type, requested, ciaddr = '0.0.0.0' }: Asked, xid: number): void {
    const selects = type === 'REQUEST' || type === 'DECLINE' || type === 'RELEASE';
    const options = new Map([
      messageType.write(type),
      ...(requested === undefined ? [] : [requestedAddress.write(requested)]),
      ...(selects ? [serverId.write(server)] : []),
    ]);
    const chaddr = Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
    const request = requestOf(chaddr, { xid, hops: 1, giaddr: local, ciaddr, options });
    this.postRaw(encode(request));
  }
}

const relay = await Relay.open();
const kinds: Readonly<Record<string, () => Promise<unknown>>> = { flood, fill, storm, junk };
process.stdout.write(JSON.stringify(await kinds[kind]?.()));
relay.close();

/**
 * `flood SECONDS A_SECOND RESERVED...`: random MACs ask without end; meanwhile the machines with reserved addresses
 * go through whole exchanges, and each answer is timed.
 */
async function flood(): Promise<unknown> {
  const [seconds = 0, aSecond = 0] = rest.slice(0, 2).map(Number);
  const reserved = rest.slice(2);
  const until = performance.now() + seconds * 1000;
  let sent = 0;
  const flooding = (async () => {
    while (performance.now() < until) {
      for (let n = 0; n < aSecond / 100; n++, sent++) relay.post({ mac: randomMac(sent), type: 'DISCOVER' });
      await sleep(10);
    }
  })();
  const delaysMs: number[] = [];
  let failed = 0;
  while (performance.now() < until)
    for (const mac of reserved) {
      const startedAt = performance.now();
      if ((await relay.lease(mac)) === undefined) failed += 1;
      else delaysMs.push((performance.now() - startedAt) / 2);
      // Below the limit of messages that one MAC may send.
      await sleep(60);
    }
  await flooding;
  delaysMs.sort((a, b) => a - b);
  return { sent, failed, exchanges: delaysMs.length, p99Ms: delaysMs[Math.floor(delaysMs.length * 0.99)] };
}

/** `fill MACHINES`: as many machines ask for an address, one after the other; which get which. */
async function fill(): Promise<unknown> {
  const given: (readonly [string, string | undefined])[] = [];
  for (let n = 0; n < Number(rest[0]); n++) given.push([numberedMac(n), await relay.lease(numberedMac(n))]);
  return Object.fromEntries(given);
}

/**
 * `storm VICTIM ADDRESS MESSAGES`: a stranger declines and releases the victim's address, and declines whatever it
 * is offered itself, again and again. What the victim then gets when it asks again, and a newcomer.
 */
async function storm(): Promise<unknown> {
  const [victim = '', address = '', messages = ''] = rest;
  for (let n = 0; n < Number(messages); n++) {
    const mac = numberedMac(1000 + (n % 50));
    relay.post({ mac, type: 'DECLINE', requested: address });
    relay.post({ mac, type: 'RELEASE', ciaddr: address });
    if (n % 10 === 0) await sleep(5);
  }
  let declined = 0;
  for (let n = 0; n < 60; n++) {
    const mac = numberedMac(2000);
    const own = await relay.lease(mac);
    if (own === undefined) break;
    relay.post({ mac, type: 'DECLINE', requested: own });
    await sleep(60);
    declined += 1;
  }
  return { victim: await relay.lease(victim), newcomer: await relay.lease(numberedMac(3000)), declined };
}

/** `junk DATAGRAMS SEED RESERVED...`: malformed and half-formed packets; what machines with an address ask between them is timed. */
async function junk(): Promise<unknown> {
  const random = randomFrom(Number(rest[1]));
  const honest = rest.slice(2);
  const delaysMs: number[] = [];
  let failed = 0;
  for (let n = 0; n < Number(rest[0]); n++) {
    relay.postRaw(junkOf(random));
    if (n % 200 !== 199) continue;
    const startedAt = performance.now();
    if (await relay.ask({ mac: honest[n % honest.length] ?? '', type: 'DISCOVER' }))
      delaysMs.push(performance.now() - startedAt);
    else failed += 1;
    // Below the limit of messages that one MAC may send.
    await sleep(30);
  }
  delaysMs.sort((a, b) => a - b);
  return {
    failed,
    asked: delaysMs.length,
    medianMs: delaysMs[Math.floor(delaysMs.length / 2)],
    mostMs: delaysMs.at(-1),
  };
}

/** A real DISCOVER with a few bytes changed, or nothing but chance. */
function junkOf(random: () => number): Uint8Array {
  const options = new Map([messageType.write('DISCOVER')]);
  const whole = encode(requestOf(Uint8Array.of(2, 0, 0, 0, 0, 1), { giaddr: local, hops: 1, options }));
  if (random() < 0.2) return Uint8Array.from({ length: Math.floor(random() * 700) }, () => random() * 256);
  const bytes = random() < 0.3 ? whole.slice(0, Math.floor(random() * whole.length)) : whole.slice();
  // Where the fuzz is wanted: op, hlen, giaddr, cookie, and everything that options are made of.
  const places = [0, 1, 2, 24, 25, 26, 27, 236, 237, 240, 241, 242, 243, 244, 245, 246];
  for (let changes = 1 + Math.floor(random() * 6); changes > 0; changes--) {
    const at =
      random() < 0.7
        ? (places[Math.floor(random() * places.length)] ?? 0)
        : Math.floor(random() * bytes.length);
    if (at < bytes.length) bytes[at] = [0, 52, 82, 255, random() * 256][Math.floor(random() * 5)] ?? 0;
  }
  return bytes;
}

function randomMac(n: number): string {
  return formatMac(Uint8Array.of(0x06, Math.random() * 256, Math.random() * 256, n >> 16, n >> 8, n));
}

function numberedMac(n: number): string {
  return formatMac(Uint8Array.of(0x02, 0, 0, 0, n >> 8, n));
}

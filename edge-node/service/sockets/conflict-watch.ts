import { closeUdp } from './bound-udp.ts';
import { DatagramBatch } from './datagram-batch.ts';
import { ECHO_REPLY, echoRequest } from './icmp.ts';
import { IPPROTO_ICMP, ipv4Payload, openRawIpv4 } from './raw-ipv4.ts';

const PACKET_BYTES = 128;
/**
 * Each ping of a free address holds an entry of the kernel's neighbour table until ARP gives up. Beyond this many
 * a second the table would overflow (gc_thresh3 is 1024), and then addresses are given unpinged.
 */
const PINGS_A_SECOND = 256;
/** How long pings wait at most for a moment in which no request does. */
const LATE_AFTER_MS = 2;

/**
 * Pings the addresses that are about to be given, beside their offers: nobody waits for the answer. Whoever
 * answers has the address already.
 */
export class ConflictWatch {
  readonly fd: number;
  readonly #batch = new DatagramBatch(PINGS_A_SECOND, PACKET_BYTES);
  readonly #identifier = process.pid & 0xffff;
  #secondAtMs = 0;
  #pings = 0;
  #waiting: string[] = [];
  #sinceMs = 0;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** @throws Problem not_root */
  static open(): ConflictWatch {
    const identifier = process.pid & 0xffff;
    const filter = [
      [0xb1, 0, 0, 0], // x = length of the IP header
      [0x50, 0, 0, 0], // a = ICMP type
      [0x15, 0, 3, ECHO_REPLY],
      [0x48, 0, 0, 4], // a = identifier
      [0x15, 0, 1, identifier],
      [0x06, 0, 0, 0xffff],
      [0x06, 0, 0, 0],
    ] as const;
    return new ConflictWatch(openRawIpv4({ protocol: IPPROTO_ICMP, filter }));
  }

  /** Pings them soon: whoever asked in the same moment is answered first. */
  ping(addresses: readonly string[], nowMs: number): void {
    if (this.#waiting.length === 0) this.#sinceMs = nowMs;
    this.#waiting.push(...addresses);
  }

  /** Sends what waits at a quiet moment, or when it has waited for too long, and goes on. */
  flushIfDue(isQuiet: boolean, nowMs: number): void {
    if (this.#waiting.length === 0) return;
    if (!isQuiet && nowMs - this.#sinceMs < LATE_AFTER_MS && nowMs >= this.#sinceMs) return;
    if (nowMs - this.#secondAtMs >= 1000 || nowMs < this.#secondAtMs) {
      this.#secondAtMs = nowMs;
      this.#pings = 0;
    }
    const allowed = this.#waiting.slice(0, Math.max(0, PINGS_A_SECOND - this.#pings));
    this.#waiting = [];
    this.#pings += allowed.length;
    const bytes = echoRequest(this.#identifier);
    this.#batch.send(
      this.fd,
      allowed.map((address) => ({ bytes, address, port: 0 })),
    );
  }

  /** Addresses that answered since. */
  answered(): readonly string[] {
    return this.#batch
      .receive(this.fd)
      .filter(({ bytes }) => ipv4Payload(bytes)[0] === ECHO_REPLY)
      .map(({ address }) => address);
  }

  close(): void {
    closeUdp(this.fd);
  }
}

import {
  begin,
  type Caps,
  decode,
  ERROR,
  encode,
  hasSentAll,
  negotiate,
  type Outgoing,
  onPacket,
  onTimeout,
  type Step,
  type Terms,
  type TftpPacket,
} from '@bootswarm/edge-node/tftp';
import koffi from 'koffi';
import { AddressCounts } from './address-counts.ts';
import { addressNumberOf, addressOfPeer, portOfPeer } from './tftp-inbox.ts';
import type { TftpOutbox } from './tftp-outbox.ts';

/** Bounds descriptors and memory whatever is asked for. */
const TRANSFERS_MOST = 2000;
/** Of one address that acknowledged something; a NAT may have a hall of machines behind it. */
const HEARD_MOST = 1000;
/** Who was silent for longer makes room where there is none: with 20 % loss both ways, that is 2 in 100 clients. */
const SILENT_MS = 10_000;
/** Repeated requests are answered again after this; sooner they are the network's doubles. */
const REPEAT_MS = 500;
/** Above it, those of an address that never acknowledged get nothing again: somebody else may have its name used. */
const UNHEARD_MOST = 32;
/**
 * Above it, neither do those of anybody: a client that is there is heard within a round trip, so most are spoofed. The
 * transfers of both stay as long as others, for clients that are slow and there.
 */
const UNHEARD_OF_ALL_MOST = 256;
/** More that never acknowledged, of all addresses, are a flood. */
const CALM_MOST = 16;

/** Where requests come in: port 69 of one of the edge's addresses. */
export interface Door {
  readonly fd: number;
  readonly address: string;
}

/** A request for which the tree must be asked. */
export interface Ask {
  readonly id: number;
  readonly clientAddress: string;
  readonly serverAddress: string;
  readonly file: string;
  readonly mode: 'octet' | 'netascii';
}

export type Found =
  | { readonly id: number; readonly bytes: Uint8Array; readonly caps: Caps }
  | { readonly id: number; readonly code: number; readonly message: string };

/** What is told of a round. */
export interface TftpNews {
  readonly counts: string[];
  readonly asks: Ask[];
  /** Of asks that were answered with a file. */
  readonly ends: { readonly id: number; readonly ending: string }[];
}

export interface TransferPorts {
  readonly outbox: Pick<TftpOutbox, 'addPacket' | 'addBlocks' | 'flush'>;
  /** A socket of its own for a transfer; undefined where all share the door's. Throws where there is none left. */
  readonly openTransfer: ((door: Door) => number) | undefined;
  readonly closeTransfer: (fd: number) => void;
  readonly nowMs: () => number;
}

interface Transfer {
  readonly id: number;
  readonly key: string;
  readonly door: Door;
  readonly peer: number;
  readonly request: Uint8Array;
  readonly options: Terms['acknowledged'];
  /** -1 until there is a file to send. */
  fd: number;
  /** Memory of the file; `bytes` keeps it there. */
  bytes: Uint8Array | undefined;
  bytesAddress: number;
  step: Step | undefined;
  wasHeard: boolean;
  /** Or asked, where it was not. */
  heardAtMs: number;
  /** The request came again when all was sent: a double that was late, or the client's next one ahead of its last ACK. */
  isAskedAgain: boolean;
  sentAtMs: number;
  deadlineMs: number;
}

/** All transfers: what follows from each datagram, each answer of the tree, and each silence. */
export class TftpTransfers {
  readonly #ports: TransferPorts;
  /** By door, client and port: a request that comes twice starts one transfer. */
  readonly #byKey = new Map<string, Transfer>();
  readonly #byId = new Map<number, Transfer>();
  readonly #byFd = new Map<number, Transfer>();
  /** Those that may be spoofed, the oldest first. */
  readonly #unheard = new Set<Transfer>();
  readonly #unheardOf = new AddressCounts();
  readonly #heardOf = new AddressCounts();
  #news = emptyNews();
  #lastId = 0;
  /** Never later than the first deadline. */
  #nextDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(ports: TransferPorts) {
    this.#ports = ports;
  }

  get running(): number {
    return this.#byKey.size;
  }

  /** When `expire` is due; Infinity without a transfer. */
  get nextDeadlineMs(): number {
    return this.#nextDeadlineMs;
  }

  /** What was to be told since the last time; undefined for nothing. */
  takeNews(): TftpNews | undefined {
    const { counts, asks, ends } = this.#news;
    if (counts.length + asks.length + ends.length === 0) return undefined;
    const news = this.#news;
    this.#news = emptyNews();
    return news;
  }

  /** A datagram that came to port 69. */
  atDoor(door: Door, peer: number, bytes: Uint8Array): void {
    const passedOver = this.#passedOver(door, peer, bytes);
    if (passedOver !== undefined) this.#news.counts.push(`tftp ${passedOver}`);
  }

  /** A datagram that came to a transfer's own socket. */
  atTransfer(fd: number, peer: number, bytes: Uint8Array): void {
    const transfer = this.#byFd.get(fd);
    if (!transfer) return;
    if (peer === transfer.peer) this.#hear(transfer, bytes);
    // A stranger on this port must not disturb the transfer (RFC 1350, section 4).
    else if (portOfPeer(peer) !== 0)
      this.#post(fd, peer, {
        kind: 'error',
        code: ERROR.unknownTransfer,
        message: 'this port is for another transfer',
      });
  }

  /** What the tree has for a request. */
  found(found: Found): void {
    const transfer = this.#byId.get(found.id);
    if (!transfer) {
      // It asked for something else meanwhile.
      if ('bytes' in found) this.#news.ends.push({ id: found.id, ending: 'superseded by a new request' });
      return;
    }
    if ('code' in found) {
      this.#forget(transfer);
      this.#news.counts.push(`tftp ${this.#refuse(transfer.door, transfer.peer, found.code, found.message)}`);
      return;
    }
    const { bytes } = found;
    transfer.bytes = bytes;
    try {
      transfer.fd = this.#ports.openTransfer?.(transfer.door) ?? transfer.door.fd;
    } catch {
      this.#end(transfer, 'passed over: no descriptor left');
      return;
    }
    if (this.#ports.openTransfer) this.#byFd.set(transfer.fd, transfer);
    transfer.bytesAddress = Number(koffi.address(bytes.buffer as ArrayBuffer)) + bytes.byteOffset;
    const terms = negotiate(transfer.options, { lengthBytes: bytes.length }, found.caps);
    this.#take(transfer, begin(bytes.length, terms));
  }

  /** Sends again, or gives up, where a client was silent for too long. */
  expire(): void {
    const nowMs = this.#ports.nowMs();
    if (nowMs < this.#nextDeadlineMs) return;
    for (const transfer of this.#byKey.values()) {
      if (nowMs < transfer.deadlineMs || !transfer.step) continue;
      const step = onTimeout(transfer.step.state, this.#unheard.size > CALM_MOST);
      this.#take(transfer, this.#isOneOfACrowd(transfer) ? { ...step, send: [] } : step);
    }
    this.#nextDeadlineMs = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#byKey.values())
      this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, deadlineMs);
  }

  stop(): void {
    for (const transfer of this.#byKey.values()) this.#end(transfer, 'the edge stops');
  }

  /** Asks for a file, or refuses, or goes on, or says why the datagram is not worth an answer. */
  #passedOver(door: Door, peer: number, bytes: Uint8Array): string | undefined {
    // RFC 768 allows port 0 for "no answer wanted".
    if (portOfPeer(peer) === 0) return 'passed over: no port to answer to';
    const key = `${door.fd} ${peer}`;
    const running = this.#byKey.get(key);
    const isRequest = bytes[0] === 0 && (bytes[1] === 1 || bytes[1] === 2);
    if (!isRequest && !this.#ports.openTransfer && running) {
      this.#hear(running, bytes);
      return undefined;
    }
    const decoded = decode(bytes);
    if (!decoded.ok) return `malformed: ${decoded.reason}`;
    const { packet } = decoded;
    if (packet.kind === 'wrq')
      return this.#refuse(door, peer, ERROR.accessViolation, 'this server is read only');
    if (packet.kind !== 'rrq') return `passed over: ${packet.kind} on port 69`;
    if (running && isRepeated(running, bytes)) return this.#repeat(running);
    // ROMs use one port for all that they load, and some leave the last block unacknowledged or start over.
    if (running) this.#end(running, 'superseded by a new request');
    return this.#begin(door, peer, Uint8Array.from(bytes), packet);
  }

  #begin(
    door: Door,
    peer: number,
    request: Uint8Array,
    { file, mode, options }: TftpPacket & { kind: 'rrq' | 'wrq' },
  ): string | undefined {
    if (!this.#makeRoom()) return 'passed over: too many transfers';
    const transfer: Transfer = {
      id: ++this.#lastId,
      key: `${door.fd} ${peer}`,
      door,
      peer,
      request,
      options,
      fd: -1,
      bytes: undefined,
      bytesAddress: 0,
      step: undefined,
      wasHeard: false,
      heardAtMs: this.#ports.nowMs(),
      isAskedAgain: false,
      sentAtMs: 0,
      deadlineMs: Number.POSITIVE_INFINITY,
    };
    this.#byKey.set(transfer.key, transfer);
    this.#byId.set(transfer.id, transfer);
    this.#unheard.add(transfer);
    this.#unheardOf.add(peer, 1);
    const [clientAddress, serverAddress] = [addressOfPeer(peer), door.address];
    this.#news.asks.push({ id: transfer.id, clientAddress, serverAddress, file, mode });
    return undefined;
  }

  /** The client did not get the first answer: as often as it asks, it gets that again. */
  #repeat(transfer: Transfer): string {
    transfer.isAskedAgain = transfer.step !== undefined && hasSentAll(transfer.step.state);
    const isLate = this.#ports.nowMs() - transfer.sentAtMs > REPEAT_MS;
    if (transfer.step && !transfer.wasHeard && isLate) this.#send(transfer, transfer.step);
    return 'passed over: request repeated';
  }

  /**
   * The oldest that may be spoofed makes room for a newer: whoever is real was heard within a round trip. Where all were
   * heard it is the one that has been silent for the longest time, if for long enough.
   */
  #makeRoom(): boolean {
    if (this.#byKey.size < TRANSFERS_MOST) return true;
    const [oldest = this.#longestSilent((each) => this.#ports.nowMs() - each.heardAtMs >= SILENT_MS)] =
      this.#unheard;
    if (!oldest) return false;
    this.#end(oldest, 'given up for a newer request');
    return true;
  }

  /** Of those that were heard. */
  #longestSilent(isMeant: (transfer: Transfer) => boolean): Transfer | undefined {
    let longest: Transfer | undefined;
    for (const each of this.#byKey.values())
      if (each.wasHeard && (!longest || each.heardAtMs < longest.heardAtMs) && isMeant(each)) longest = each;
    return longest;
  }

  #nowHeard(transfer: Transfer): void {
    const { peer } = transfer;
    if (this.#heardOf.of(peer) >= HEARD_MOST) {
      const address = addressNumberOf(peer);
      const longest = this.#longestSilent((each) => addressNumberOf(each.peer) === address);
      if (longest) this.#end(longest, 'given up for a newer request');
    }
    transfer.wasHeard = true;
    this.#heardOf.add(peer, 1);
    this.#unheard.delete(transfer);
    this.#unheardOf.add(peer, -1);
  }

  #hear(transfer: Transfer, bytes: Uint8Array): void {
    const decoded = decode(bytes);
    if (!decoded.ok || !transfer.step) return;
    transfer.heardAtMs = this.#ports.nowMs();
    if (!transfer.wasHeard) this.#nowHeard(transfer);
    this.#take(transfer, onPacket(transfer.step.state, decoded.packet));
  }

  #take(transfer: Transfer, step: Step): void {
    transfer.step = step;
    if (step.done !== undefined) {
      this.#end(transfer, step.done);
      const { isAskedAgain, door, peer, request } = transfer;
      if (isAskedAgain && step.done === 'complete') this.atDoor(door, peer, request);
    } else if (step.send.length > 0) this.#send(transfer, step);
    else this.#wait(transfer, step);
  }

  #send(transfer: Transfer, step: Step): void {
    const { send, state } = step;
    const [first] = send;
    if (first?.kind === 'oack') this.#post(transfer.fd, transfer.peer, first);
    else if (first) this.#sendBlocks(transfer, first, send, state.terms);
    transfer.sentAtMs = this.#ports.nowMs();
    this.#wait(transfer, step);
  }

  #wait(transfer: Transfer, { state }: Step): void {
    transfer.deadlineMs = transfer.sentAtMs + state.waitMs;
    this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, transfer.deadlineMs);
  }

  #sendBlocks(
    { fd, peer, bytesAddress }: Transfer,
    first: Outgoing & { kind: 'data' },
    send: readonly Outgoing[],
    { blockBytes }: Terms,
  ): void {
    const last = send.at(-1);
    this.#ports.outbox.addBlocks(fd, peer, {
      address: bytesAddress + first.byteOffset,
      block: first.block,
      count: send.length,
      blockBytes,
      lastBytes: last?.kind === 'data' ? last.lengthBytes : 0,
    });
  }

  #refuse(door: Door, peer: number, code: number, message: string): string {
    this.#post(door.fd, peer, { kind: 'error', code, message });
    return `refused: error ${code}`;
  }

  #post(fd: number, peer: number, packet: TftpPacket): void {
    this.#ports.outbox.addPacket(fd, peer, encode(packet));
  }

  #end(transfer: Transfer, ending: string): void {
    this.#news.counts.push(`tftp ${ending}`);
    if (transfer.bytes) this.#news.ends.push({ id: transfer.id, ending });
    this.#forget(transfer);
  }

  #forget(transfer: Transfer): void {
    this.#byKey.delete(transfer.key);
    this.#byId.delete(transfer.id);
    if (this.#unheard.delete(transfer)) this.#unheardOf.add(transfer.peer, -1);
    else this.#heardOf.add(transfer.peer, -1);
    if (this.#byFd.delete(transfer.fd)) {
      // What is to be sent from a socket leaves before the socket goes.
      this.#ports.outbox.flush();
      this.#ports.closeTransfer(transfer.fd);
    }
    transfer.step = undefined;
  }

  #isOneOfACrowd({ wasHeard, peer }: Transfer): boolean {
    return !wasHeard && (this.#unheardOf.of(peer) > UNHEARD_MOST || this.#unheard.size > UNHEARD_OF_ALL_MOST);
  }
}

/** Whether a request is the one that began this, sent twice, rather than a client that fell silent and begins anew. */
function isRepeated({ wasHeard, step, request }: Transfer, bytes: Uint8Array): boolean {
  const isAnew = wasHeard && step !== undefined && step.state.timeouts > 0;
  return !isAnew && Buffer.compare(request, bytes) === 0;
}

function emptyNews(): TftpNews {
  return { counts: [], asks: [], ends: [] };
}

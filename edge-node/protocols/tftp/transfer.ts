import type { Terms } from './options.ts';
import { ERROR, type TftpOptions, type TftpPacket } from './packet.ts';

/**
 * One file on its way to one client: RFC 1350 with windows (RFC 7440). Blocks count from 1 without end here;
 * the wire has their low 16 bits, so they roll over from 65535 to 0. The OACK is block 0.
 */
export interface Transfer {
  readonly lengthBytes: number;
  readonly terms: Terms;
  /** The last block that the client has; -1 before the OACK's ACK. */
  readonly ackedBlock: number;
  /** The last block sent since. */
  readonly sentBlock: number;
  /** Timeouts since the client's last progress. */
  readonly timeouts: number;
  /** How long they took, in milliseconds. */
  readonly silentMs: number;
  /** How long to wait for the client before `onTimeout`. */
  readonly waitMs: number;
}

/** A packet to send. `byteOffset` and `lengthBytes` cut DATA out of the file. */
export type Outgoing =
  | { readonly kind: 'oack'; readonly options: TftpOptions }
  | {
      readonly kind: 'data';
      readonly block: number;
      readonly byteOffset: number;
      readonly lengthBytes: number;
    };

/**
 * `aborted by client` is no failure: firmware probes tsize and hangs up with ERROR (quirk 8).
 * `failed by client` is an ERROR amid the file, `timed out` a client that fell silent.
 */
export type Ending = 'complete' | 'aborted by client' | 'failed by client' | 'timed out';

/** What follows an event. With nothing to send and no ending, `waitMs` counts from what was last sent. */
export interface Step {
  readonly state: Transfer;
  readonly send: readonly Outgoing[];
  readonly done?: Ending;
}

/**
 * With 20 % loss both ways a round trip fails in 36 of 100 tries: 13 in a row in 2 of a million, which is for clients
 * that were heard. Three in a row, in 5 of 100, are all that a spoofed request is worth; six, in 2 of 1,000, where there
 * is no flood of them: a client whose first ACKs are lost holds on to a transfer that is gone, and never asks anew.
 */
const MAX_TIMEOUTS = { amidFlood: 2, beforeFirstAck: 5, afterwards: 12 };
/**
 * Longer than the 5 s after which atftp repeats its ACK: it does so only when nothing came meanwhile, and it passes over
 * a block that comes a third time.
 */
const MAX_WAIT_MS = 8000;
/** A client may have us wait for longer (RFC 2349 allows 255 s), but holds its place by silence no longer than others. */
const MAX_AGREED_WAIT_MS = 30_000;
const MAX_SILENCE_MS = 120_000;

/** The OACK if options were agreed, or else the first block. */
export function begin(lengthBytes: number, terms: Terms): Step {
  const ackedBlock = terms.acknowledged.size > 0 ? -1 : 0;
  return advance(
    { lengthBytes, terms, ackedBlock, sentBlock: ackedBlock, timeouts: 0, silentMs: 0, waitMs: 0 },
    ackedBlock,
  );
}

/** Only ACK and ERROR matter; anything else in a sender's conversation is passed over. */
export function onPacket(state: Transfer, packet: TftpPacket): Step {
  switch (packet.kind) {
    case 'ack':
      return onAck(state, packet.block);
    case 'error':
      return {
        state,
        send: [],
        done: isRefusal(state, packet.code) ? 'aborted by client' : 'failed by client',
      };
    default:
      return { state, send: [] };
  }
}

/**
 * Sends everything since the last ACK again and waits twice as long, a bounded number of times: the fewest amid a
 * flood of requests, for a client that was never heard.
 */
export function onTimeout(state: Transfer, isFlood: boolean): Step {
  const unheard = isFlood ? MAX_TIMEOUTS.amidFlood : MAX_TIMEOUTS.beforeFirstAck;
  const silentMs = state.silentMs + state.waitMs;
  if (state.timeouts >= (isHeard(state) ? MAX_TIMEOUTS.afterwards : unheard) || silentMs >= MAX_SILENCE_MS)
    return { state, send: [], done: 'timed out' };
  const waitMs = Math.max(firstWaitMs(state), Math.min(state.waitMs * 2, MAX_WAIT_MS));
  const later = { ...state, timeouts: state.timeouts + 1, silentMs, waitMs };
  return { state: later, send: outgoing(later) };
}

/** Whether only ACKs are left to come. */
export function hasSentAll(state: Transfer): boolean {
  return state.sentBlock === lastBlock(state);
}

function onAck(state: Transfer, block: number): Step {
  const progress = (block - state.ackedBlock) & 0xffff;
  if (progress === 0) return { state: hurried(state), send: [] };
  if (progress > state.sentBlock - state.ackedBlock) return { state, send: [] };
  return advance(state, state.ackedBlock + progress);
}

/**
 * An ACK seen before sends nothing again: answering it would double the rest of the file (RFC 1123 section 4.2.3.1).
 * But who repeats it is there and waits, so the wait, doubled for the silent, is the first one again: busybox gives up
 * after 13 s, in which doubled waits send a block four times, and with 20 % loss four are lost in 2 of 1,000.
 */
function hurried(state: Transfer): Transfer {
  return { ...state, waitMs: firstWaitMs(state) };
}

/** Goes on behind a block that the client has. Amid a window that is going back to the gap (RFC 7440 section 4). */
function advance(state: Transfer, ackedBlock: number): Step {
  const last = lastBlock(state);
  const sentBlock = ackedBlock < 0 ? 0 : Math.min(ackedBlock + state.terms.windowSize, last);
  const next = { ...state, ackedBlock, sentBlock, timeouts: 0, silentMs: 0, waitMs: firstWaitMs(state) };
  if (ackedBlock === last) return { state: next, send: [], done: 'complete' };
  return { state: next, send: outgoing(next) };
}

/** Blocks that were sent and not acknowledged. */
function outgoing({ ackedBlock, sentBlock, lengthBytes, terms }: Transfer): readonly Outgoing[] {
  return Array.from({ length: sentBlock - ackedBlock }, (_, index): Outgoing => {
    const block = ackedBlock + 1 + index;
    if (block === 0) return { kind: 'oack', options: terms.acknowledged };
    const byteOffset = (block - 1) * terms.blockBytes;
    return {
      kind: 'data',
      block: block & 0xffff,
      byteOffset,
      lengthBytes: Math.min(terms.blockBytes, lengthBytes - byteOffset),
    };
  });
}

/** The one shorter than a full block, empty if need be: that is how the client knows the end (RFC 1350 section 6). */
function lastBlock({ lengthBytes, terms }: Transfer): number {
  return Math.floor(lengthBytes / terms.blockBytes) + 1;
}

function isHeard({ ackedBlock, terms }: Transfer): boolean {
  return ackedBlock > (terms.acknowledged.size > 0 ? -1 : 0);
}

/** Before a block arrived, any ERROR says no to the offer: ROMs differ in the code that they hang up with. */
function isRefusal(state: Transfer, code: number): boolean {
  return code === ERROR.optionsRefused || state.ackedBlock <= 0;
}

function firstWaitMs({ terms }: Transfer): number {
  return Math.min(terms.timeoutSeconds * 1000, MAX_AGREED_WAIT_MS);
}

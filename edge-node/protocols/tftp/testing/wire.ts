import {
  begin,
  decode,
  type Ending,
  encode,
  type Outgoing,
  onPacket,
  onTimeout,
  type Step,
  type Terms,
} from '../index.ts';
import { Receiver } from './receiver.ts';

/** Shares of packets in percent, and what decides which. */
export interface Weather {
  readonly seed: number;
  readonly lossPercent: number;
  readonly duplicatePercent: number;
  readonly reorderPercent: number;
}

export interface Voyage {
  readonly arrived: Uint8Array;
  readonly dataPackets: number;
  readonly ending: Ending;
}

interface InFlight {
  readonly atMs: number;
  readonly to: 'client' | 'server';
  readonly bytes: Uint8Array;
}

const LATENCY_MS = 1;
const LATE_MS = 20;

/** Sends a file over a simulated wire, in simulated time, every packet as bytes. */
export function send(file: Uint8Array, terms: Terms, weather: Weather): Voyage {
  const random = randomOf(weather.seed);
  const happens = (percent: number) => random() * 100 < percent;
  const receiver = new Receiver(terms.blockBytes, terms.windowSize);
  const inFlight: InFlight[] = [];
  let nowMs = 0;
  let dueMs = 0;
  let dataPackets = 0;

  const post = (to: InFlight['to'], bytes: Uint8Array) => {
    if (happens(weather.lossPercent)) return;
    const copies = happens(weather.duplicatePercent) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const atMs = nowMs + (happens(weather.reorderPercent) ? random() * LATE_MS : LATENCY_MS);
      const before = inFlight.findLastIndex((other) => other.atMs <= atMs);
      inFlight.splice(before + 1, 0, { atMs, to, bytes });
    }
  };
  const follow = (step: Step) => {
    for (const outgoing of step.send) {
      if (outgoing.kind === 'data') dataPackets++;
      post('client', bytesOf(outgoing, file));
    }
    if (step.send.length > 0) dueMs = nowMs + step.state.waitMs;
    return step;
  };

  let step = follow(begin(file.length, terms));
  while (step.done === undefined) {
    const next = inFlight[0];
    if (next === undefined || next.atMs > dueMs) {
      nowMs = dueMs;
      step = follow(onTimeout(step.state, false));
      continue;
    }
    inFlight.shift();
    nowMs = next.atMs;
    const decoded = decode(next.bytes);
    if (!decoded.ok) throw new Error(decoded.reason);
    if (next.to === 'server') {
      step = follow(onPacket(step.state, decoded.packet));
    } else {
      const answer = receiver.receive(decoded.packet);
      if (answer) post('server', encode(answer));
    }
  }
  return { arrived: Uint8Array.from(Buffer.concat(receiver.parts)), dataPackets, ending: step.done };
}

function bytesOf(outgoing: Outgoing, file: Uint8Array): Uint8Array {
  if (outgoing.kind === 'oack') return encode(outgoing);
  const { block, byteOffset, lengthBytes } = outgoing;
  return encode({ kind: 'data', block, bytes: file.subarray(byteOffset, byteOffset + lengthBytes) });
}

/** Numbers of [0, 1) from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

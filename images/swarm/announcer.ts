import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnnounceAnswer,
  type AnnounceEvent,
  announceQuery,
  decodeAnnounceAnswer,
  type PeerAddress,
  peerAddresses,
} from '@bootswarm/images/format';

/** A tracker that does not answer within this time is asked again later. */
const ANSWER_MS = 10_000;
/** To say that it stops, a peer does not wait long: it would be forgotten anyway. */
const GOODBYE_MS = 2_000;
/** An answer holds 50 peers of 6 bytes; this is room for 10,000. */
const MOST_ANSWER_BYTES = 64 * 1024;
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Whatever a tracker says. */
const LEAST_INTERVAL_SECONDS = 5;

export interface AnnouncerOptions {
  /** Of the tracker, such as `http://10.1.2.1:8480/announce`. */
  readonly trackerUrl: string;
  /** 40 hexadecimal digits. */
  readonly infohash: string;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** TCP port at which other peers reach this one. */
  readonly port: number;
  readonly leftBytes: () => number;
  /** Resolves when everything is here, which the tracker is told at once. */
  readonly finished: Promise<void>;
  /** Told of the peers of each answer. */
  readonly onPeers: (peers: readonly PeerAddress[]) => void;
  /** Told of each announce that failed: it is tried again. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Announces a peer to its tracker (BEP 3), as often as the tracker says, until `signal` ends it, and then says that it
 * stops. After a failure it tries again, soon at first.
 * @throws nothing: a swarm goes on with the peers that it has.
 */
export async function keepAnnouncing(options: AnnouncerOptions, signal: AbortSignal): Promise<void> {
  let toldLeft: number | undefined;
  for (let failures = 0; !signal.aborted; ) {
    const left = options.leftBytes();
    try {
      const answer = await announce(options, left, eventOf(toldLeft, left), within(ANSWER_MS, signal));
      toldLeft = left;
      failures = 0;
      options.onPeers(peerAddresses(answer.peers));
      const waitMs = Math.max(answer.intervalSeconds, LEAST_INTERVAL_SECONDS) * 1000;
      await pause(waitMs, left > 0 ? options.finished : undefined, signal);
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      options.onFailure?.(error instanceof Error ? error : new Error(String(error)));
      await pause(retryMs(failures, Math.random()), undefined, signal);
    }
  }
  if (toldLeft === undefined) return;
  await announce(options, options.leftBytes(), 'stopped', AbortSignal.timeout(GOODBYE_MS)).catch(() => {});
}

/** What happened since the last announce. Who had everything at its start has completed nothing. */
function eventOf(toldLeft: number | undefined, left: number): AnnounceEvent | undefined {
  if (toldLeft === undefined) return 'started';
  return toldLeft > 0 && left === 0 ? 'completed' : undefined;
}

/** @param chance of [0, 1), so that machines that lost one tracker together don't come back together. */
function retryMs(failures: number, chance: number): number {
  const most = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 16), LONGEST_RETRY_MS);
  return most * (0.5 + chance / 2);
}

async function announce(
  { trackerUrl, infohash, peerId, port }: AnnouncerOptions,
  left: number,
  event: AnnounceEvent | undefined,
  signal: AbortSignal,
): Promise<AnnounceAnswer> {
  const query = announceQuery({ infohash, port, left, event, wantedPeers: undefined }, peerId);
  // A connection that waits for half a minute is one too many for an edge of a thousand machines.
  const headers = { connection: 'close' };
  const response = await fetch(`${trackerUrl}?${query}`, { headers, signal });
  if (!response.ok) throw new Error(`the tracker answered ${response.status}`);
  return decodeAnnounceAnswer(await bodyOf(response));
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MOST_ANSWER_BYTES)
      throw new Error(`the tracker answered more than ${MOST_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function within(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

/** Resolves after `ms`, or when `sooner` resolves or `signal` ends it. */
async function pause(ms: number, sooner: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const timer = sleep(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => {});
  // What fails never finishes.
  const earlier = sooner?.catch(() => timer) ?? timer;
  await Promise.race([timer, earlier]);
  over.abort();
}

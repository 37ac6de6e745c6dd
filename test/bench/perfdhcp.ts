import type { Host } from '../lab/index.ts';
import type { Measurement } from './bench.ts';
import { whileIdle } from './cpu.ts';

const CLIENTS = 50_000;
const TRY_SECONDS = 3;
const FIRST_RATE = 250;
const HALVINGS = 3;
/** Where even this many a second are dropped there is nothing to measure. */
const LOWEST_RATE = 50;
/** A drop at a rate that both sides can keep is the machine's; at one that they cannot, it comes again. */
const TRIES = 2;

/**
 * Doubles the rate until perfdhcp counts a drop, twice in a row, and then halves the gap between the last two a few
 * times.
 * @param server its address.
 */
export async function highestRate(
  load: Host,
  server: string,
  {
    clients = CLIENTS,
    firstRate = FIRST_RATE,
  }: { readonly clients?: number; readonly firstRate?: number } = {},
): Promise<Measurement> {
  let best: Measurement = { dora_per_s: 0, p99_ms: 0, idle: 0 };
  let [good, bad] = [0, Number.POSITIVE_INFINITY];
  for (let rate = firstRate, halvings = 0; halvings <= HALVINGS && rate >= LOWEST_RATE; ) {
    const kept = await keepRate(load, server, { rate, clients });
    if (kept) {
      good = rate;
      best = kept;
    } else bad = rate;
    if (good > 0 && bad < Number.POSITIVE_INFINITY) halvings += 1;
    rate = bad < Number.POSITIVE_INFINITY ? Math.round((good + bad) / 2) : rate * 2;
  }
  return best;
}

/** @returns undefined where every try had a drop or stayed behind the rate. */
async function keepRate(load: Host, server: string, at: Exchange): Promise<Measurement | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { result, idle } = await whileIdle(() => exchange(load, server, at));
    if (result.drops === 0 && result.perSecond >= at.rate * 0.9)
      return { dora_per_s: result.perSecond, p99_ms: result.p99Ms, idle };
  }
  return undefined;
}

export interface Exchange {
  /** Four-way exchanges a second. */
  readonly rate: number;
  /** Different machines, which come again in turn. */
  readonly clients?: number;
  readonly seconds?: number;
}

export async function exchange(
  load: Host,
  server: string,
  { rate, clients = CLIENTS, seconds = TRY_SECONDS }: Exchange,
): Promise<{ perSecond: number; drops: number; p99Ms: number }> {
  const { stdout, stderr } = await load.run(
    [
      ...['perfdhcp', '-4', '-l', load.interface, '-r', String(rate), '-R', String(clients)],
      ...['-p', String(seconds), '-W', '500000', '-x', 't', server],
    ],
    { timeoutMs: 60_000 + seconds * 1000 },
  );
  const drops = Array.from(stdout.matchAll(/drops: (\d+)/g), (match) => Number(match[1]));
  if (drops.length === 0) throw new Error(`perfdhcp: ${stdout.slice(-500)}${stderr.slice(-500)}`);
  // perfdhcp's own rate counts the time that it waits for stragglers.
  const requests = timesOf(stdout, 'REQUEST-ACK');
  const lastAck = Math.max(...requests.map(({ received }) => received));
  const delaysMs = requests.map(({ sent, received }) => (received - sent) * 1000).toSorted((a, b) => a - b);
  return {
    perSecond: requests.length / lastAck,
    drops: drops.reduce((sum, n) => sum + n, 0),
    p99Ms: delaysMs[Math.floor(delaysMs.length * 0.99)] ?? 0,
  };
}

/** Seconds since perfdhcp's start, of every exchange that `-x t` lists. */
function timesOf(output: string, exchange: string): { sent: number; received: number }[] {
  const section = output.split(`Timestamps for packets: ${exchange}***`)[1]?.split('***')[0] ?? '';
  return Array.from(section.matchAll(/sent \/ received: ([\d.]+) \/ ([\d.]+)/g), ([, sent, received]) => ({
    sent: Number(sent),
    received: Number(received),
  }));
}

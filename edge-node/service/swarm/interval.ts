/** How often one swarm may ask its tracker, in all. A machine of a small fleet finds new neighbours within half a minute. */
const MOST_ANNOUNCES_PER_SECOND = 50;
const LEAST_SECONDS = 30;
/** Whoever was switched off is handed out for twice as long. */
const MOST_SECONDS = 600;

/** Seconds after which a peer of a swarm of so many should announce again. */
export function announceSeconds(peers: number): number {
  return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.ceil(peers / MOST_ANNOUNCES_PER_SECOND)));
}

/** A peer is forgotten when two announces in a row did not come, with some seconds for their way. */
export function forgetAfterSeconds(intervalSeconds: number): number {
  return 2 * intervalSeconds + 10;
}

/** Hostile peers, for tests that cross rooms. */
export { ATTACKS } from './attacks.ts';
export { HostilePeer } from './hostile-peer.ts';
export { PoisonedStore } from './poisoned-store.ts';

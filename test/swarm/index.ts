/** Machines of a swarm, as processes of their own on hosts of a lab. */
export type { AttackReport, SpoilReport } from './hostile-order.ts';
export type { PeerReport } from './peer.ts';
export { type GroundHost, SwarmGround, swarmRoot } from './swarm-ground.ts';
export { PEER_PORT, type SharedArtefact, SwarmPeer, shareArtefact } from './swarm-peer.ts';

/** Machines of a swarm, as processes of their own on hosts of a lab. */
export type { PeerPlan, PeerReport } from './peer.ts';
export { PEER_PORT, type PeerOptions, type SharedArtefact, SwarmPeer, shareArtefact } from './swarm-peer.ts';

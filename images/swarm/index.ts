/** Moving and keeping the bytes of artefacts: used by controller, edge and agent. */
export { type AnnouncerOptions, keepAnnouncing } from './announcer.ts';
export { type ArtefactFile, ArtefactFolder } from './artefact-folder.ts';
export type { ArtefactSource } from './artefact-source.ts';
export { type Fetched, type FetchOptions, fetchArtefact } from './fetch-artefact.ts';
export { fetchBySwarm, lackOf, type SwarmFetchOptions } from './fetch-by-swarm.ts';
export type { Endpoint } from './peers/link.ts';
export { SwarmNode, type SwarmNodeOptions } from './peers/node.ts';
export { FilePieces, type FilePiecesOptions, MemoryPieces, type PieceStore } from './peers/piece-store.ts';
export type { PeerStats, SwarmStats } from './peers/stats.ts';
export type { Swarm } from './peers/swarm.ts';
export type { RateBuckets, RateLimits, SwarmOptions } from './peers/swarm-options.ts';
export { TokenBucket } from './peers/token-bucket.ts';
export { type FileSender, sendBytes, sendFile } from './send-file.ts';
export { throttled } from './throttle.ts';
export { isWrongHash } from './wrong-hash.ts';

/** Who vouches for what: keys, signed metadata of The Update Framework, and the client that verifies it. */
export { checkTargets, type TargetsChange, verifyTargets } from './check-targets.ts';
export { TrustClient } from './client.ts';
export type { FetchMetadata } from './fetcher.ts';
export { keyId, publicKeyOf } from './keys.ts';
export { MOST_BYTES, MOST_TARGETS, VALID_MS } from './limits.ts';
export { outlineOf, type Role } from './metadata.ts';
export { isDue, makeSnapshot, makeTimestamp } from './online.ts';
export { checkRoot, keyIdsOf, keysOf, makeRoot, maySign, type RoleKeys, signersOf } from './root.ts';
export {
  channelPath,
  channelsIn,
  channelTarget,
  referencePath,
  releasePath,
  releasesIn,
  releaseTarget,
  type Target,
  targetsIn,
  withTargets,
} from './targets.ts';

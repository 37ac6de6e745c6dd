import {
  Architecture,
  ChannelPointer,
  Manifest,
  ReleaseName,
  ReleaseVersion,
  Sha256,
} from '@bootswarm/images/format';
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant, Name } from './names.ts';
import { PageQuery } from './page.ts';
import { ReleaseUse } from './release-use.ts';
import { Garbage, ReleaseRemoval, Retention } from './retention.ts';
import { OnlineKeys, Publication, RootChange, TargetsChange, Trust, TrustFile } from './trust.ts';

const _ByName = z.object({ name: Name });
const BySha256 = z.object({ sha256: Sha256 });
const ByRelease = z.object({ name: ReleaseName, version: ReleaseVersion, architecture: Architecture });
const _Nothing = z.strictObject({});

export const Release = z.strictObject({ manifest: Manifest, publishedAt: Instant });
export type Release = z.infer<typeof Release>;

export const Upload = z.strictObject({
  /** Bytes that the controller holds. */
  received: z.int().min(0),
  /** Whether the artefact is whole and its SHA-256 was verified. */
  complete: z.boolean(),
});
export type Upload = z.infer<typeof Upload>;

/** Releases, what they are made of, who signs them, and channels. */
export const catalogueEndpoints = {
  listReleases: {
    method: 'get',
    path: '/v1/releases',
    summary: 'All published releases',
    paged: 'release',
    audience: 'operator',
    query: z.object(PageQuery),
    result: z.array(Release),
  },
  showRelease: {
    method: 'get',
    path: '/v1/releases/{name}/{version}/{architecture}',
    summary: 'One release with its manifest',
    audience: 'operator',
    params: ByRelease,
    result: Release,
  },
  publishRelease: {
    method: 'post',
    path: '/v1/releases',
    summary: 'Publish a release whose artefacts have arrived. It never changes afterwards',
    audience: 'operator',
    body: Publication,
    result: Release,
  },
  removeReleases: {
    method: 'post',
    path: '/v1/releases/removal',
    summary: 'Remove releases that nothing names. Their bytes go when garbage is collected',
    audience: 'operator',
    body: ReleaseRemoval,
    result: z.array(z.string()),
  },
  releaseUses: {
    method: 'get',
    path: '/v1/releases/{name}/{version}/{architecture}/uses',
    summary: 'What names a release, so that it is not removed',
    audience: 'operator',
    params: ByRelease,
    result: z.array(ReleaseUse),
  },
  pinRelease: {
    method: 'put',
    path: '/v1/releases/{name}/{version}/{architecture}/pin',
    summary: 'Keep a release whatever retention says',
    audience: 'operator',
    params: ByRelease,
    result: Release,
  },
  unpinRelease: {
    method: 'delete',
    path: '/v1/releases/{name}/{version}/{architecture}/pin',
    summary: 'Leave a release to retention again',
    audience: 'operator',
    params: ByRelease,
    result: Release,
  },
  showRetention: {
    method: 'get',
    path: '/v1/retention',
    summary: 'How many releases of each series stay though nothing names them',
    audience: 'operator',
    result: Retention,
  },
  replaceRetention: {
    method: 'put',
    path: '/v1/retention',
    summary: 'Say how many releases of each series stay though nothing names them',
    audience: 'operator',
    body: Retention,
    result: Retention,
  },
  showGarbage: {
    method: 'get',
    path: '/v1/garbage',
    summary: 'Releases, artefacts and uploads that nobody needs any more',
    audience: 'operator',
    result: Garbage,
  },
  collectGarbage: {
    method: 'post',
    path: '/v1/garbage',
    summary: 'Remove artefacts that no release names, and uploads that broke off; gives what was removed',
    audience: 'operator',
    result: Garbage,
  },
  showUpload: {
    method: 'get',
    path: '/v1/uploads/{sha256}',
    summary: 'How much of an artefact has arrived: where to go on after a break',
    audience: 'operator',
    params: BySha256,
    result: Upload,
  },
  sendUpload: {
    method: 'put',
    path: '/v1/uploads/{sha256}',
    summary:
      'Send bytes of an artefact from `offset` on. The last byte makes the controller verify its SHA-256',
    audience: 'operator',
    params: BySha256,
    query: z.object({
      offset: z.coerce.number().int().min(0),
      /** Bytes of the whole artefact. */
      length: z.coerce.number().int().positive(),
    }),
    body: 'bytes',
    result: Upload,
  },
  fetchArtefact: {
    method: 'get',
    path: '/v1/artefacts/{sha256}',
    summary: 'The bytes of an artefact, whole or a range',
    audience: 'operator-or-edge',
    params: BySha256,
    result: 'bytes',
  },

  showTrust: {
    method: 'get',
    path: '/v1/trust',
    summary: 'The signed metadata that vouches for releases and channels, as it stands',
    audience: 'operator',
    result: Trust,
  },
  fetchTrustFile: {
    method: 'get',
    path: '/v1/trust/files/{file}',
    summary: 'A file of signed metadata, as clients of The Update Framework ask for it',
    audience: 'operator-or-edge',
    params: TrustFile,
    result: 'bytes',
    mediaType: 'application/json',
  },
  replaceRoot: {
    method: 'put',
    path: '/v1/trust/root',
    summary: 'Put the first root, or the next, which the keys of the one before signed',
    audience: 'operator',
    body: RootChange,
    result: Trust,
  },
  makeOnlineKeys: {
    method: 'post',
    path: '/v1/trust/online-keys',
    summary: "Make other keys for the controller's own signatures; they serve once a root names them",
    audience: 'operator',
    result: OnlineKeys,
  },
  renewTargets: {
    method: 'put',
    path: '/v1/trust/targets',
    summary: 'Put targets metadata that vouches for the same, for longer',
    audience: 'operator',
    body: TargetsChange,
    result: Trust,
  },

  listChannels: {
    method: 'get',
    path: '/v1/channels',
    summary: 'All channels, and where they point to',
    tagged: 'channels',
    audience: 'operator',
    result: z.array(ChannelPointer),
  },
  moveChannels: {
    method: 'put',
    path: '/v1/channels',
    summary: 'Put targets metadata in which channels came, went or moved, and nothing else did',
    tagged: 'channels',
    audience: 'operator',
    body: TargetsChange,
    result: z.array(ChannelPointer),
  },
} as const satisfies Readonly<Record<string, Endpoint>>;

import {
  Architecture,
  ChannelPointer,
  Manifest,
  ReleaseName,
  ReleaseVersion,
  Sha256,
  Signed,
} from '@bootswarm/images/format';
import { z } from 'zod';
import { DhcpPolicy } from './dhcp-policy.ts';
import { Edge, EdgeCredentials, EdgeInvitation, EdgeSettings, EdgeStatus } from './edge.ts';
import { EdgeSwarmAnswer, EdgeSwarmReport } from './edge-swarm.ts';
import type { Endpoint } from './endpoint.ts';
import { eventEndpoints } from './event-endpoints.ts';
import { InspectionSummary, KeptInspection, SentInspection } from './inspection.ts';
import { VariableName, VariableValue } from './installer-profile.ts';
import { Intent } from './intent.ts';
import { EdgeRecord, JournalBatch, JournalReceipt } from './journal.ts';
import { Machine, MachineJournal, MachineStory } from './machine.ts';
import { machineLifeEndpoints } from './machine-life-endpoints.ts';
import { EdgeWork, FleetWork } from './machine-work.ts';
import { MiniSetting } from './mini.ts';
import { Instant, Name } from './names.ts';
import { powerEndpoints } from './power-endpoints.ts';
import { Profile } from './profile.ts';
import { ReleaseRef } from './release-ref.ts';
import { ReleaseUse } from './release-use.ts';
import { Garbage, ReleaseRemoval, Retention } from './retention.ts';
import { rolloutEndpoints } from './rollout-endpoints.ts';
import { Segment } from './segment.ts';
import { selectionEndpoints } from './selection-endpoints.ts';
import { SelectorText } from './selector.ts';
import { OnlineKeys, Publication, RootChange, TargetsChange, Trust, TrustFile } from './trust.ts';
import { webhookEndpoints } from './webhook-endpoints.ts';

const ByName = z.object({ name: Name });
const BySha256 = z.object({ sha256: Sha256 });
const ByRelease = z.object({ name: ReleaseName, version: ReleaseVersion, architecture: Architecture });
/** A machine's id, UUID or one of its MACs. */
const ByMachine = z.object({ machine: z.string().min(1).max(64) });
const Nothing = z.strictObject({});

export const Release = z.strictObject({ manifest: Manifest, publishedAt: Instant });
export type Release = z.infer<typeof Release>;

export const Upload = z.strictObject({
  /** Bytes that the controller holds. */
  received: z.int().min(0),
  /** Whether the artefact is whole and its SHA-256 was verified. */
  complete: z.boolean(),
});
export type Upload = z.infer<typeof Upload>;

/** Longest that a call for a desired state waits for a new one, in seconds. */
const LONG_POLL_MOST_SECONDS = 60;
export const MACHINES_PAGE_MOST = 1000;

export const endpoints = {
  health: {
    method: 'get',
    path: '/healthz',
    summary: 'Whether the controller is up',
    audience: 'anyone',
    result: z.strictObject({ status: z.literal('ok'), version: z.string() }),
  },

  listReleases: {
    method: 'get',
    path: '/v1/releases',
    summary: 'All published releases',
    audience: 'operator',
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
    audience: 'operator',
    result: z.array(ChannelPointer),
  },
  moveChannels: {
    method: 'put',
    path: '/v1/channels',
    summary: 'Put targets metadata in which channels came, went or moved, and nothing else did',
    audience: 'operator',
    body: TargetsChange,
    result: z.array(ChannelPointer),
  },

  listSegments: {
    method: 'get',
    path: '/v1/segments',
    summary: 'All segments',
    audience: 'operator',
    result: z.array(Segment),
  },
  addSegment: {
    method: 'post',
    path: '/v1/segments',
    summary: 'Add a segment',
    audience: 'operator',
    body: Segment,
    result: Segment,
  },
  showSegment: {
    method: 'get',
    path: '/v1/segments/{name}',
    summary: 'One segment',
    tagged: 'segment',
    audience: 'operator',
    params: ByName,
    result: Segment,
  },
  replaceSegment: {
    method: 'put',
    path: '/v1/segments/{name}',
    summary: 'Put a segment in the place of the one of that name, or add it',
    tagged: 'segment',
    audience: 'operator',
    params: ByName,
    body: Segment,
    result: Segment,
  },
  removeSegment: {
    method: 'delete',
    path: '/v1/segments/{name}',
    summary: 'Remove a segment: its edges stop serving it',
    tagged: 'segment',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },

  showPolicy: {
    method: 'get',
    path: '/v1/dhcp-policy',
    summary: 'DHCP options and classes that hold in every segment',
    audience: 'operator',
    result: DhcpPolicy,
  },
  replacePolicy: {
    method: 'put',
    path: '/v1/dhcp-policy',
    summary: 'Put other DHCP options and classes in the place of those that hold in every segment',
    audience: 'operator',
    body: DhcpPolicy,
    result: DhcpPolicy,
  },

  showMini: {
    method: 'get',
    path: '/v1/mini',
    summary: 'The mini image of each architecture',
    audience: 'operator',
    result: MiniSetting,
  },
  useMini: {
    method: 'put',
    path: '/v1/mini',
    summary: 'Use a release as the mini image of its architecture',
    audience: 'operator',
    body: z.strictObject({ release: ReleaseRef }),
    result: MiniSetting,
  },

  listEdges: {
    method: 'get',
    path: '/v1/edges',
    summary: 'All edges',
    audience: 'operator',
    result: z.array(Edge),
  },
  addEdge: {
    method: 'post',
    path: '/v1/edges',
    summary: 'Add an edge and get the token with which it joins',
    audience: 'operator',
    body: ByName,
    result: EdgeInvitation,
  },
  inviteEdge: {
    method: 'post',
    path: '/v1/edges/{name}/invitation',
    summary: 'A new join token for an edge that lost its state; its old tokens end when it joins',
    audience: 'operator',
    params: ByName,
    result: EdgeInvitation,
  },
  showEdge: {
    method: 'get',
    path: '/v1/edges/{name}',
    summary: 'One edge and what it has ready',
    audience: 'operator',
    params: ByName,
    result: Edge,
  },
  changeEdge: {
    method: 'put',
    path: '/v1/edges/{name}/settings',
    summary: 'Set the site of an edge, and how fast it may fetch from outside it',
    audience: 'operator',
    params: ByName,
    body: EdgeSettings,
    result: Edge,
  },
  removeEdge: {
    method: 'delete',
    path: '/v1/edges/{name}',
    summary: 'Remove an edge that serves no segment; its token ends at once',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },
  join: {
    method: 'post',
    path: '/v1/join',
    summary: 'Trade a join token for the credentials of an edge',
    audience: 'join',
    result: EdgeCredentials,
  },
  desiredState: {
    method: 'get',
    path: '/v1/edge/desired-state',
    summary: 'The signed desired state of the calling edge; waits until there is one newer than `after`',
    audience: 'edge',
    query: z.object({
      after: z.coerce.number().int().min(-1).default(-1),
      waitSeconds: z.coerce.number().int().min(0).max(LONG_POLL_MOST_SECONDS).default(0),
    }),
    result: Signed.nullable(),
  },
  reportStatus: {
    method: 'put',
    path: '/v1/edge/status',
    summary: 'What the calling edge follows and has ready',
    audience: 'edge',
    body: EdgeStatus,
    result: Nothing,
  },
  reportWork: {
    method: 'put',
    path: '/v1/edge/work',
    summary: 'What the machines of the calling edge are at',
    audience: 'edge',
    body: EdgeWork,
    result: Nothing,
  },
  edgeSwarm: {
    method: 'post',
    path: '/v1/edge/swarm',
    summary: 'Where the calling edge listens, what it has and lacks; whom it may fetch that from',
    audience: 'edge',
    body: EdgeSwarmReport,
    result: EdgeSwarmAnswer,
  },
  sendJournal: {
    method: 'post',
    path: '/v1/edge/journal',
    summary: 'Records of the calling edge, in order; those known already are passed over',
    audience: 'edge',
    body: JournalBatch,
    result: JournalReceipt,
  },

  listMachines: {
    method: 'get',
    path: '/v1/machines',
    summary:
      'All machines, or those that `match` means, in the order of their ids. A page has `limit` of them, and the next begins behind `cursor`, the id of the last; a shorter page is the last one',
    audience: 'operator',
    query: z.object({
      /** Such as `class=compute,memory>=64G,label.rack=r1|r2`: see selector-syntax.ts. */
      match: SelectorText.optional(),
      limit: z.coerce.number().int().min(1).max(MACHINES_PAGE_MOST).optional(),
      cursor: z.string().max(64).optional(),
    }),
    result: z.array(Machine),
  },
  ...selectionEndpoints,
  showWork: {
    method: 'get',
    path: '/v1/work',
    summary: 'What machines are at now that takes its time, with what they fetch and of whom',
    audience: 'operator',
    result: FleetWork,
  },
  showMachine: {
    method: 'get',
    path: '/v1/machines/{machine}',
    summary: 'One machine, by id, UUID or MAC, with what its edges last said of it',
    tagged: 'machine',
    audience: 'operator',
    params: ByMachine,
    result: MachineStory,
  },
  machineJournal: {
    method: 'get',
    path: '/v1/machines/{machine}/journal',
    summary:
      'What edges said of a machine since `after`; waits until there is more. A MAC or UUID that nobody has heard of has an empty journal',
    audience: 'operator',
    params: ByMachine,
    query: z.object({
      /** The cursor of the call before; 0 gives all that is kept. */
      after: z.coerce.number().int().min(0).default(0),
      waitSeconds: z.coerce.number().int().min(0).max(LONG_POLL_MOST_SECONDS).default(0),
    }),
    result: MachineJournal,
  },
  listAlarms: {
    method: 'get',
    path: '/v1/alarms',
    summary: 'What edges said of their segments rather than of one machine, newest first',
    audience: 'operator',
    query: z.object({ segment: Name.optional() }),
    result: z.array(EdgeRecord),
  },
  setIntent: {
    method: 'put',
    path: '/v1/machines/{machine}/intent',
    summary: 'What a machine does at its next boot. A MAC that is not known yet registers a machine',
    tagged: 'machine',
    audience: 'operator',
    params: ByMachine,
    body: Intent,
    result: Machine,
  },
  setVariables: {
    method: 'post',
    path: '/v1/machines/{machine}/variables',
    summary:
      'What answer files of installers say of this machine alone; null takes a variable away. A MAC that is not known yet registers a machine',
    tagged: 'machine',
    audience: 'operator',
    params: ByMachine,
    body: z.record(VariableName, VariableValue.nullable()),
    result: Machine,
  },

  ...machineLifeEndpoints,

  listInspections: {
    method: 'get',
    path: '/v1/machines/{machine}/inspections',
    summary: 'The inspections of a machine that are kept, oldest first',
    audience: 'operator',
    params: ByMachine,
    result: z.array(InspectionSummary),
  },
  showInspection: {
    method: 'get',
    path: '/v1/machines/{machine}/inspections/{number}',
    summary: 'One inspection of a machine',
    audience: 'operator',
    params: ByMachine.extend({ number: z.coerce.number().int().positive() }),
    result: KeptInspection,
  },
  sendInspection: {
    method: 'post',
    path: '/v1/edge/inspections',
    summary: 'What an agent found out about its machine. The same again is passed over',
    audience: 'edge',
    body: SentInspection,
    result: Nothing,
  },

  ...powerEndpoints,
  ...rolloutEndpoints,

  listProfiles: {
    method: 'get',
    path: '/v1/profiles',
    summary: 'All profiles by which machines are installed',
    audience: 'operator',
    result: z.array(Profile),
  },
  showProfile: {
    method: 'get',
    path: '/v1/profiles/{name}',
    summary: 'One profile',
    tagged: 'profile',
    audience: 'operator',
    params: ByName,
    result: Profile,
  },
  replaceProfile: {
    method: 'put',
    path: '/v1/profiles/{name}',
    summary: 'Put a profile in the place of the one of that name, or add it',
    tagged: 'profile',
    audience: 'operator',
    params: ByName,
    body: Profile,
    result: Profile,
  },
  removeProfile: {
    method: 'delete',
    path: '/v1/profiles/{name}',
    summary: 'Remove a profile that no machine is to be installed by',
    tagged: 'profile',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },

  ...eventEndpoints,
  ...webhookEndpoints,
} as const satisfies Readonly<Record<string, Endpoint>>;

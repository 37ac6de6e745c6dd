import { Architecture, ReleaseName, ReleaseVersion, Sha256 } from '@bootswarm/images/format';
import { z } from 'zod';
import { catalogueEndpoints } from './catalogue-endpoints.ts';
import { edgeEndpoints } from './edge-endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { eventEndpoints } from './event-endpoints.ts';
import { InspectionSummary, KeptInspection, SentInspection } from './inspection.ts';
import { VariableName, VariableValue } from './installer-profile.ts';
import { Intent } from './intent.ts';
import { EdgeRecord } from './journal.ts';
import { Machine, MachineJournal, MachineStory } from './machine.ts';
import { machineLifeEndpoints } from './machine-life-endpoints.ts';
import { FleetWork } from './machine-work.ts';
import { Name } from './names.ts';
import { networkEndpoints } from './network-endpoints.ts';
import { PageQuery } from './page.ts';
import { powerEndpoints } from './power-endpoints.ts';
import { Profile } from './profile.ts';
import { rolloutEndpoints } from './rollout-endpoints.ts';
import { selectionEndpoints } from './selection-endpoints.ts';
import { SelectorText } from './selector.ts';
import { webhookEndpoints } from './webhook-endpoints.ts';

const ByName = z.object({ name: Name });
const _BySha256 = z.object({ sha256: Sha256 });
const _ByRelease = z.object({ name: ReleaseName, version: ReleaseVersion, architecture: Architecture });
/** A machine's id, UUID or one of its MACs. */
const ByMachine = z.object({ machine: z.string().min(1).max(64) });
const Nothing = z.strictObject({});

/** Longest that a call for a desired state waits for a new one, in seconds. */
const LONG_POLL_MOST_SECONDS = 60;

export const endpoints = {
  health: {
    method: 'get',
    path: '/healthz',
    summary: 'Whether the controller is up',
    audience: 'anyone',
    result: z.strictObject({ status: z.literal('ok'), version: z.string() }),
  },
  ...catalogueEndpoints,
  ...networkEndpoints,
  ...edgeEndpoints,

  listMachines: {
    method: 'get',
    path: '/v1/machines',
    summary:
      'All machines, or those that `match` means, in the order of their ids. The cursor is the id of the last machine of a page',
    paged: 'machine',
    audience: 'operator',
    query: z.object({
      /** Such as `class=compute,memory>=64G,label.rack=r1|r2`: see selector-syntax.ts. */
      match: SelectorText.optional(),
      ...PageQuery,
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
    summary: 'One machine, by id, name, UUID or MAC, with what its edges last said of it',
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
    paged: 'profile',
    audience: 'operator',
    query: z.object(PageQuery),
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

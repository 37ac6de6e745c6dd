import { type Endpoint, isRepeatable } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import type { ErrorCode } from './errors.ts';

const SEGMENT = [
  ...([
    'edge_unknown',
    'segment_pool_outside',
    'segment_pool_reversed',
    'segment_pool_holds_router',
  ] as const),
  ...(['segment_pool_holds_relay', 'segment_pool_overlaps', 'segment_exclusion_outside'] as const),
  ...(['segment_exclusion_reversed', 'segment_reservation_outside', 'segment_reservation_taken'] as const),
  ...(['segment_reservation_twice', 'segment_class_unknown', 'segment_subnet_overlaps'] as const),
  ...(['segment_router_outside', 'segment_relay_taken', 'class_segment_unknown'] as const),
] as const;
/** Of whoever names a release or channel. */
const RELEASE = ['machine_release_unknown', 'channel_unknown'] as const;
const INTENT = [...RELEASE, 'release_not_bootable', 'profile_unknown'] as const;
const FIT = ['profile_unfit', 'profile_release_unfit'] as const;
/** Of whoever sends signed metadata; those of its signatures come from images/trust. */
const TRUST = ['trust_missing', 'trust_change_unexpected'] as const;
const ROLLOUT = [
  ...RELEASE,
  ...(['profile_unknown', 'rollout_empty', 'rollout_bmc_none', 'rollout_command_unknown'] as const),
  ...(['rollout_url_refused', 'secret_unknown', ...FIT, 'release_not_bootable'] as const),
] as const;
const ROLLOUT_COMMAND = ['not_found', 'rollout_changed', 'rollout_state_not_allowed'] as const;

/** What calls may be refused for beside what follows from their shape. A call that is not named has nothing of its own. */
const OWN: Partial<Readonly<Record<keyof typeof endpoints, readonly ErrorCode[]>>> = {
  showRelease: ['not_found'],
  publishRelease: [
    ...(['release_immutable', 'release_removed', 'release_artefact_missing'] as const),
    ...(['release_artefact_differs', 'trust_target_missing', ...TRUST] as const),
  ],
  removeReleases: ['not_found', 'release_in_use', ...TRUST],
  releaseUses: ['not_found'],
  pinRelease: ['not_found'],
  unpinRelease: ['not_found'],
  sendUpload: ['upload_offset', 'upload_busy', 'upload_wrong_hash', 'upload_too_long'],
  fetchArtefact: ['artefact_unknown'],
  fetchTrustFile: ['trust_file_unknown'],
  replaceRoot: ['trust_online_keys', ...TRUST],
  renewTargets: TRUST,
  moveChannels: [
    ...(['channel_malformed', 'channel_pinned', 'channel_in_use', 'channel_release_unknown'] as const),
    ...(['machine_release_unknown', ...TRUST] as const),
  ],

  addSegment: ['already_exists', ...SEGMENT, ...INTENT],
  showSegment: ['not_found'],
  replaceSegment: [...SEGMENT, ...INTENT],
  removeSegment: ['not_found', 'segment_in_use'],
  replacePolicy: ['segment_class_unknown', 'class_segment_unknown'],
  useMini: ['mini_not_mini', ...RELEASE],

  addEdge: ['edge_exists'],
  inviteEdge: ['not_found'],
  showEdge: ['not_found'],
  changeEdge: ['not_found'],
  removeEdge: ['not_found', 'edge_in_use'],
  reportStatus: ['not_found'],

  showMachine: ['not_found'],
  machineJournal: ['not_found'],
  setIntent: ['not_found', 'machine_state_not_allowed', ...INTENT, ...FIT],
  installAssigned: [
    ...(['not_found', 'machine_state_not_allowed', ...INTENT, ...FIT] as const),
    ...(['assignment_none', 'assignment_open', 'assignment_unfit'] as const),
  ],
  setVariables: ['not_found'],
  changeTraits: ['not_found'],
  acceptHardware: ['not_found', 'inspection_none'],
  explainMachine: ['not_found'],
  unreserveMachine: ['not_found', 'not_reserved'],
  overrideState: ['not_found', 'machine_state_not_allowed'],
  maintainMachine: ['not_found', 'machine_state_not_allowed'],
  releaseMachine: ['not_found', 'machine_state_not_allowed'],
  machineHistory: ['not_found'],
  listInspections: ['not_found'],
  showInspection: ['not_found', 'inspection_none'],
  importMachines: ['import_refused'],
  reserve: ['already_exists', 'reservation_short'],
  showReservation: ['not_found'],
  endReservation: ['not_found'],
  showRule: ['not_found'],
  removeRule: ['not_found'],
  showAssignment: ['not_found'],
  replaceAssignment: [
    'assignment_tie',
    'assignment_unfit',
    'profile_unknown',
    'profile_release_unfit',
    ...RELEASE,
  ],
  removeAssignment: ['not_found'],

  setSecret: ['secret_unreadable'],
  removeSecret: ['not_found', 'secret_in_use'],
  setBmc: ['not_found', 'secret_unknown', 'bmc_address_forbidden'],
  removeBmc: ['not_found'],
  orderPower: ['not_found', 'bmc_none', 'bmc_unable', 'power_busy'],
  showPower: ['not_found'],

  planRollout: ROLLOUT,
  startRollout: ['rollout_exists', 'rollout_machine_taken', ...ROLLOUT],
  showRollout: ['not_found'],
  listRolloutMachines: ['not_found'],
  listRolloutSkipped: ['not_found'],
  pauseRollout: ROLLOUT_COMMAND,
  resumeRollout: [...ROLLOUT_COMMAND, 'rollout_machine_taken'],
  approveRollout: ['not_found', 'rollout_changed', 'rollout_not_awaiting'],
  abortRollout: ROLLOUT_COMMAND,
  rollbackRollout: [...ROLLOUT_COMMAND, 'rollout_machine_taken'],
  removeRollout: ['not_found', 'rollout_not_over'],

  showProfile: ['not_found'],
  replaceProfile: ['profile_release_unfit', 'assignment_unfit', ...RELEASE],
  removeProfile: ['not_found', 'profile_in_use', 'profile_of_segment', 'profile_assigned'],

  listEvents: ['not_found', 'events_gone'],
  streamEvents: ['not_found', 'events_gone', 'events_crowded'],
  addWebhook: ['already_exists', 'webhook_refused', 'webhooks_crowded'],
  showWebhook: ['not_found'],
  removeWebhook: ['not_found'],
  testWebhook: ['not_found'],
  listDeadLetters: ['not_found'],
  retryDeadLetters: ['not_found'],
};

const OWN_OF = new Map<Endpoint, readonly ErrorCode[]>(
  Object.entries(endpoints).map(([name, endpoint]) => [endpoint, OWN[name as keyof typeof endpoints] ?? []]),
);

/** Of the catalogue, what a call may be refused for: what follows from its shape, then what is its own. */
export function problemsOf(endpoint: Endpoint): readonly ErrorCode[] {
  const { method, audience, params, query, body, tagged } = endpoint;
  const takesJson = body !== undefined && body !== 'bytes';
  const found: readonly (readonly [boolean, readonly ErrorCode[]])[] = [
    [takesJson || params !== undefined || query !== undefined || tagged !== undefined, ['input_invalid']],
    [takesJson, ['body_not_json', 'body_too_large']],
    [audience === 'join', ['join_token_refused', 'token_not_for_this']],
    [audience !== 'anyone' && audience !== 'join', ['token_missing', 'token_not_for_this']],
    [isRepeatable(endpoint), ['input_invalid', 'idempotency_key_reused', 'idempotency_key_busy']],
    [method !== 'get', ['changed_meanwhile', 'disk_full']],
    [true, [...(OWN_OF.get(endpoint) ?? []), 'internal']],
  ];
  return [...new Set(found.flatMap(([applies, codes]) => (applies ? codes : [])))];
}

/** After how many seconds it is worth asking again what was refused for a reason that passes: Retry-After. */
export const RETRY_AFTER_SECONDS: Partial<Readonly<Record<ErrorCode, number>>> = {
  events_crowded: 30,
  idempotency_key_busy: 1,
  upload_busy: 30,
};

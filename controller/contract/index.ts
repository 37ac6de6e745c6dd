/** What crosses the wire between controller, CLI, console and edges: shapes, calls, errors. */
export {
  AGENT_INSPECTION_MOST_BYTES,
  AGENT_LOG_MOST_LINES,
  AGENT_PATHS,
  AGENT_REPORT_MOST_BYTES,
  AGENT_WAIT_MOST_SECONDS,
  AgentFacts,
  AgentLog,
  AgentOrder,
  AgentReport,
  AgentStage,
} from './agent.ts';
export { faultText, parseAnswerTemplate, renderAnswerTemplate } from './answer-template.ts';
export { assignmentOf, effectiveVariables, mergedArguments } from './assigned-install.ts';
export {
  ASSIGNMENTS_MOST,
  type Assigned,
  Assignment,
  assignmentConflict,
  assignmentFor,
  conflictText,
} from './assignment.ts';
export { assignmentFitProblem, intentToInstall } from './assignment-fit.ts';
export {
  Bmc,
  type BmcOf,
  type CommandFacts,
  commandArguments,
  isBmcAddress,
  POWER_ACTIONS_OF,
} from './bmc.ts';
export { BOOT_CAUSES, BootCause } from './boot-causes.ts';
export { type BootTrace, type TracedStage, traceBoot } from './boot-trace.ts';
export { cidrOf, isOnLink, networkVersion2 } from './card-network.ts';
export { Release, type Upload } from './catalogue-endpoints.ts';
export { type Answer, type CallOptions, Client, type ClientOptions, isAway } from './client.ts';
export {
  type DhcpOptionDefinition,
  DhcpOptionSettings,
  dhcpOptionName,
  dhcpOptionOf,
  listOf,
} from './dhcp-options.ts';
export {
  DhcpClass,
  type DhcpLimits,
  DhcpPolicy,
  type PlatformKey,
  Reservation,
  type SwitchPort,
  type TftpCaps,
} from './dhcp-policy.ts';
export { type DiskPreview, previewDisks } from './disk-preview.ts';
export {
  DesiredMachine,
  DesiredState,
  Edge,
  EdgeCredentials,
  EdgeInvitation,
  EdgeSettings,
  EdgeStatus,
} from './edge.ts';
export { type EdgeReadiness, isSilent, readinessOf } from './edge-readiness.ts';
export { EdgeSwarmAnswer, EdgeSwarmReport, type SwarmEndpoint } from './edge-swarm.ts';
export { type Call, type Endpoint, isRepeatable, type Request, type Result } from './endpoint.ts';
export { problemsOf, RETRY_AFTER_SECONDS } from './endpoint-problems.ts';
export { endpoints } from './endpoints.ts';
export { ERRORS, ErrorBody, type ErrorCode, problem } from './errors.ts';
export {
  Event,
  type EventActor,
  EventFilter,
  type EventKind,
  type EventPage,
  isWantedKind,
} from './event.ts';
export { EVENT_PAGE_MOST } from './event-endpoints.ts';
export { type FirstBootVariables, renderFirstBoot } from './first-boot-texts.ts';
export { FirstBoot, ImageProfile, MediumProfile, Takeover } from './image-profile.ts';
export {
  INSPECTIONS_MOST,
  Inspection,
  type InspectionChange,
  InspectionSummary,
  inspectionChanges,
  KeptInspection,
  SentInspection,
} from './inspection.ts';
export {
  InstallMachine,
  InstallOrder,
  type WipeOrder,
  WorkBegin,
  WorkEnd,
  WorkProgress,
} from './install-order.ts';
export {
  type BuiltInVariable,
  INSTALLER_STYLES,
  InstallerKind,
  InstallerProfile,
  MachineVariables,
  profileProblem,
  VariableName,
  VariableValue,
  variablesOf,
} from './installer-profile.ts';
export { Intent, intentText, isSingleUse } from './intent.ts';
export { type AddressRange, ipv4ToNumber, isHostOf, numberToIpv4, parseSubnet, rangeHolds } from './ipv4.ts';
export { type BootStage, EdgeRecord, JOURNAL_BATCH_MOST, JournalRecord } from './journal.ts';
export {
  Machine,
  MachineJournal,
  MachineStory,
  matchMachine,
  type Sighting,
  tellingUuid,
} from './machine.ts';
export { FailureCause, failureStory } from './machine-causes.ts';
export { hardwareChanges, hardwareMark, hardwareOf, inspected } from './machine-hardware.ts';
export { afterWipe, holding, isArmed, lifeOf, withLife } from './machine-life.ts';
export { MachineRelease, MachineStateChange, type Maintenance } from './machine-life-endpoints.ts';
export {
  faultsText,
  ImportReceipt,
  type ImportRow,
  identitiesOf,
  MachineImport,
  MachineRegistration,
  type RowFault,
  readImport,
} from './machine-registration.ts';
export { MachineReservation, ReservationRequest } from './machine-reservation.ts';
export {
  applyRules,
  BY_HAND,
  type ExplainedValue,
  explainRules,
  MachineRule,
  RULES_MOST,
} from './machine-rule.ts';
export {
  allowedFrom,
  DEADLINE_SECONDS,
  MachineLife,
  MachineMove,
  MachineState,
  MOVES_MOST,
  type Motion,
  type Mover,
  moved,
  moveOf,
  stillAtIt,
  TRANSITIONS,
} from './machine-state.ts';
export {
  HardwareChange,
  LabelName,
  Labels,
  LabelValue,
  labelOf,
  MachineLocation,
  MachineProperties,
  MachineTraits,
  plainText,
  rackOf,
} from './machine-traits.ts';
export { isOfBoot, moveAfter, type Turn } from './machine-turn.ts';
export { EdgeWork, FleetWork, MachineWork, workOutlooks } from './machine-work.ts';
export { Menu, type MenuEntry } from './menu.ts';
export { hashMenuPassword, isMenuPassword } from './menu-password.ts';
export { MiniSetting } from './mini.ts';
export { Mac, Name, Uuid } from './names.ts';
export { narrownessOf } from './narrowness.ts';
export { NOCLOUD_FILES, type NoCloudFile, noCloudSeed, type SeededSystem } from './nocloud-seed.ts';
export { linkToNext, type Order, PAGE_MOST, type PageAsked, pageOf } from './page.ts';
export {
  isPowerBusy,
  POWER_TRANSITIONS,
  type PowerOrder,
  type PowerSeen,
  PowerStanding,
  type PowerState,
  type SecretInfo,
} from './power.ts';
export { POWER_STEPS, PowerAction, type PowerStep } from './power-action.ts';
export { Profile, profileFitProblem, profileReleaseProblem } from './profile.ts';
export { parseRate, RateSchedule, rateAt, rateText, sharedRateAt } from './rate-schedule.ts';
export { RELEASE_USES, ReleaseUse, releaseUseText } from './release-use.ts';
export { Garbage, ReleaseRemoval, Retention, RetentionRule } from './retention.ts';
export {
  type HealthCheck,
  type Hook,
  type HookCall,
  Rollout,
  RolloutCommand,
  type RolloutLimits,
  RolloutMachine,
  RolloutOrder,
  RolloutPlace,
  RolloutPlan,
  RolloutStory,
  type RolloutWave,
  SkippedMachine,
  skipText,
} from './rollout.ts';
export {
  ROLLOUT_CAUSES,
  ROLLOUT_STATES,
  ROLLOUT_STEPS,
  RolloutCause,
  RolloutState,
  RolloutStep,
  rolloutMoves,
  WAVE_STATES,
  type WaveState,
} from './rollout-state.ts';
export { parseWaves, type WaveGroup, type WaveRule, wavesText } from './rollout-waves.ts';
export { isWithin, parseWindow, RolloutWindow, windowText } from './rollout-window.ts';
export { Segment } from './segment.ts';
export { policyProblem, segmentProblem } from './segment-problem.ts';
export type { MachineExplanation, TraitsChange } from './selection-endpoints.ts';
export { matcherOf, matches, SelectorText, selectorFaultText, selectorOf } from './selector.ts';
export { SELECTOR_FIELDS } from './selector-fields.ts';
export { parseSelector, type Selector, selectorText } from './selector-syntax.ts';
export { SshKey } from './ssh-key.ts';
export { type SwarmPolicy, SwarmProgress, SwarmTerms } from './swarm.ts';
export type { OnlineKeys, Publication, RootChange, Trust } from './trust.ts';
export { grantInstall, UnknownMachines } from './unknown-machines.ts';
export { DeadLetter, Webhook, type WebhookOutcome, WebhookState, WebhookWithSecret } from './webhook.ts';
export { standingAfter, WorkStanding, type WorkStory, workStory } from './work-standing.ts';

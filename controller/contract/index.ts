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
export { BOOT_CAUSES, BootCause } from './boot-causes.ts';
export { type BootTrace, type TracedStage, traceBoot } from './boot-trace.ts';
export { Client } from './client.ts';
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
export { type EdgeReadiness, readinessOf } from './edge-readiness.ts';
export { EdgeSwarmAnswer, EdgeSwarmReport, type SwarmEndpoint } from './edge-swarm.ts';
export type { Call, Endpoint, Request, Result } from './endpoint.ts';
export { endpoints, Release, type Upload } from './endpoints.ts';
export { ErrorBody, type ErrorCode, problem } from './errors.ts';
export {
  Event,
  type EventActor,
  EventFilter,
  type EventKind,
  type EventPage,
  isWantedKind,
} from './event.ts';
export { EVENT_PAGE_MOST } from './event-endpoints.ts';
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
export { EdgeWork, FleetWork, MachineWork, workOutlooks } from './machine-work.ts';
export { Menu, type MenuEntry } from './menu.ts';
export { hashMenuPassword, isMenuPassword } from './menu-password.ts';
export { MiniSetting } from './mini.ts';
export { Mac, Name, Uuid } from './names.ts';
export { Profile, profileFitProblem, profileReleaseProblem } from './profile.ts';
export { parseRate, RateSchedule, rateAt, rateText, sharedRateAt } from './rate-schedule.ts';
export { RELEASE_USES, ReleaseUse, releaseUseText } from './release-use.ts';
export { Garbage, ReleaseRemoval, Retention, RetentionRule } from './retention.ts';
export { Segment } from './segment.ts';
export { policyProblem, segmentProblem } from './segment-problem.ts';
export { SshKey } from './ssh-key.ts';
export { type SwarmPolicy, SwarmProgress, SwarmTerms } from './swarm.ts';
export type { OnlineKeys, Publication, RootChange, Trust } from './trust.ts';
export { DeadLetter, Webhook, type WebhookOutcome, WebhookState, WebhookWithSecret } from './webhook.ts';
export { standingAfter, WorkStanding, type WorkStory, workStory } from './work-standing.ts';

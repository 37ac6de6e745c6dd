/** What crosses the wire between controller, CLI, console and edges: shapes, calls, errors. */
export { Client } from './client.ts';
export {
  DesiredMachine,
  DesiredState,
  Edge,
  EdgeCredentials,
  EdgeInvitation,
  EdgeStatus,
} from './edge.ts';
export type { Call, Endpoint, Request, Result } from './endpoint.ts';
export { endpoints, Release, type Upload } from './endpoints.ts';
export { ErrorBody, type ErrorCode, problem } from './errors.ts';
export { Intent, intentText } from './intent.ts';
export { type AddressRange, ipv4ToNumber, numberToIpv4, parseSubnet, rangeHolds } from './ipv4.ts';
export { type BootStage, JOURNAL_BATCH_MOST, JournalRecord } from './journal.ts';
export { Machine, MachineStory, matchMachine, type Sighting, tellingUuid } from './machine.ts';
export { Mac, Name, Uuid } from './names.ts';
export { Segment, segmentProblem } from './segment.ts';

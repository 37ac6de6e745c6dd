import { z } from 'zod';
import { InstallOrder, WipeOrder, WorkProgress } from './install-order.ts';
import { Intent } from './intent.ts';
import { Ipv4, Mac, Uuid } from './names.ts';
import { SwarmTerms } from './swarm.ts';

/** Paths of an edge that agents ask, beside those of boot files. */
export const AGENT_PATHS = {
  report: '/agent/report',
  intent: '/agent/intent',
  log: '/agent/log',
  inspection: '/agent/inspection',
  begin: '/agent/begin',
  end: '/agent/end',
} as const;

/** Longest that a call for an intent waits for another one, in seconds: below the minute after which the edge hangs up. */
export const AGENT_WAIT_MOST_SECONDS = 50;
export const AGENT_REPORT_MOST_BYTES = 64 * 1024;
export const AGENT_INSPECTION_MOST_BYTES = 1024 * 1024;
export const AGENT_LOG_MOST_LINES = 100;

const Text = z.string().max(200);

/**
 * What an agent is at: `up` once it has an address; `waiting` for another intent, having done its last or not knowing
 * it; `failed` at it; the others as they say.
 */
export const AgentStage = z.enum([
  'up',
  'inspecting',
  'waiting',
  'failed',
  'installing',
  'installed',
  'wiping',
  'wiped',
  'rescue',
  'live',
]);
export type AgentStage = z.infer<typeof AgentStage>;

/** What an agent sees of its machine without looking closer. */
export const AgentFacts = z.strictObject({
  manufacturer: Text.optional(),
  product: Text.optional(),
  serial: Text.optional(),
  firmware: z.enum(['bios', 'uefi']),
  processors: z.int().min(1).max(65536),
  cards: z
    .array(z.strictObject({ name: Text, mac: Mac, driver: Text.optional(), hasLink: z.boolean() }))
    .max(128),
  disks: z.array(z.strictObject({ name: Text, bytes: z.int().min(0), model: Text.optional() })).max(512),
});
export type AgentFacts = z.infer<typeof AgentFacts>;

/** An agent about itself and its machine: `POST /agent/report`. The edge knows by the address who it is. */
export const AgentReport = z.strictObject({
  format: z.literal(1),
  /** Of the card that it speaks by: that of the lease of its address. */
  mac: Mac,
  uuid: Uuid.optional(),
  addresses: z.array(Ipv4).max(64),
  /** Of the agent. */
  version: Text,
  kernel: Text,
  memoryBytes: z.int().min(0),
  /** Since the kernel started. */
  uptimeSeconds: z.number().min(0),
  stage: AgentStage,
  /** For a person. */
  detail: z.string().max(300),
  facts: AgentFacts.optional(),
  /** Of work on the disks, at least once a second. */
  progress: WorkProgress.optional(),
});
export type AgentReport = z.infer<typeof AgentReport>;

/** What a machine is to do, as its edge says it: `GET /agent/intent?after=TOKEN&waitSeconds=N&swarm=1`. */
export const AgentOrder = z.strictObject({
  /** For the next call's `after`: that waits until there is another order. */
  token: z.string().max(64),
  intent: Intent,
  /**
   * Of `install` and `wipe`: what to do, for a minute. An order that is asked for without `after` has a new ticket, for
   * whoever needs longer to get ready.
   */
  install: InstallOrder.optional(),
  wipe: WipeOrder.optional(),
  /** Of `install` and `wipe`: nothing more is tried, and why; to be shown on the console. */
  failed: z.string().max(600).optional(),
  /** Of `install` and `wipe`: why it cannot begin yet. */
  notYet: z.string().max(600).optional(),
  /** Where enough others fetch the same: it is fetched of them. Only for agents that ask with `swarm=1`. */
  swarm: SwarmTerms.optional(),
});
export type AgentOrder = z.infer<typeof AgentOrder>;

/** Lines of an agent's log, oldest first: `POST /agent/log`. */
export const AgentLog = z.strictObject({
  lines: z.array(z.string().max(500)).min(1).max(AGENT_LOG_MOST_LINES),
});
export type AgentLog = z.infer<typeof AgentLog>;

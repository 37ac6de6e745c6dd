import { z } from 'zod';
import { Instant } from './names.ts';

/**
 * What can happen at the controller, as `family.what`. A rule in server/events/event-rules.ts tells each of changes of
 * the store; what no rule knows is told as `other.changed`.
 */
const EVENT_KINDS = [
  'artefact.arrived',
  'artefact.removed',
  'assignments.changed',
  'channel.added',
  'channel.moved',
  'channel.removed',
  'edge.added',
  'edge.changed',
  'edge.joined',
  'edge.ready',
  'edge.removed',
  'machine.changed',
  'machine.inspected',
  'machine.intent',
  'machine.journal',
  'machine.power',
  'machine.registered',
  'machine.removed',
  'machine.spent',
  'machine.state',
  'machine.work',
  'mini.changed',
  'other.changed',
  'policy.changed',
  'profile.added',
  'profile.changed',
  'profile.removed',
  'release.pinned',
  'release.published',
  'release.removed',
  'release.unpinned',
  'reservation.added',
  'reservation.changed',
  'reservation.removed',
  'retention.changed',
  'rollout.added',
  'rollout.moved',
  'rollout.removed',
  'rules.changed',
  'secret.removed',
  'secret.set',
  'segment.added',
  'segment.alarm',
  'segment.changed',
  'segment.removed',
  'token.ended',
  'token.made',
  'trust.keys',
  'trust.root',
  'trust.targets',
  'webhook.added',
  'webhook.changed',
  'webhook.removed',
  'webhook.retried',
  'webhook.test',
] as const;
export const EventKind = z.enum(EVENT_KINDS);
export type EventKind = z.infer<typeof EventKind>;

/** Whole kinds (`machine.intent`) and families (`machine`), as an operator names them: `machine,edge.joined`. */
export const EventFilter = z
  .string()
  .max(500)
  .transform((text) => text.split(',').map((each) => each.trim()))
  .refine((filter) => filter.every(isKnown), {
    error: ({ input }) =>
      `names what no event is: ${(input as string[]).filter((each) => !isKnown(each)).join(', ')}; there are ${families().join(', ')}, and kinds such as ${EVENT_KINDS[0]}`,
  });

function isKnown(text: string): boolean {
  return EVENT_KINDS.some((kind) => kind === text) || families().includes(text);
}

function families(): readonly string[] {
  return [...new Set(EVENT_KINDS.map(familyOf))];
}

function familyOf(kind: EventKind): string {
  return kind.slice(0, kind.indexOf('.'));
}

/** Whether a kind is among those of a filter; without one, every kind is. */
export function isWantedKind(kind: EventKind, filter: readonly string[] | undefined): boolean {
  return filter === undefined || filter.includes(kind) || filter.includes(familyOf(kind));
}

/** Who did it: an operator or edge by its token, or the controller of itself. */
export const EventActor = z.strictObject({
  kind: z.enum(['operator', 'edge', 'join', 'controller']),
  /** Of an edge; of an operator's token, the first eight digits of its stored hash. */
  name: z.string().max(64).optional(),
});
export type EventActor = z.infer<typeof EventActor>;

/** Records that came: those behind `after` in the journal of a machine or the alarms of a segment. */
const EventRecords = z.strictObject({
  of: z.string(),
  /** The cursor before them, as `GET /v1/machines/{machine}/journal?after=` takes it. */
  after: z.int().min(0),
  count: z.int().positive(),
});

/** One thing that happened, written in the very commit that did it. */
export const Event = z.strictObject({
  /** Counts up by one over all that ever happened at this controller. */
  number: z.int().positive(),
  at: Instant,
  kind: EventKind,
  /** What it happened to: the name of a segment, the id of a machine. */
  subject: z.string(),
  by: EventActor,
  /** Of the HTTP request that did it; the controller's log has it too, and so has the answer's x-request-id. */
  request: z.uuid().optional(),
  /** Fields that differ from before. */
  changed: z.array(z.string()).optional(),
  /** The rest, for a person. */
  detail: z.string().max(500).optional(),
  /** Of `machine.journal` and `segment.alarm`, which refer to records rather than repeat them. */
  records: z.array(EventRecords).optional(),
});
export type Event = z.infer<typeof Event>;

export const EventPage = z.strictObject({
  events: z.array(Event),
  /** For the next call's `after`: up to here everything was looked at. */
  cursor: z.int().min(0),
  /** Whether there is more behind the cursor already. */
  more: z.boolean(),
  /** The number of the oldest event that is kept; one more than the newest where none is. */
  oldest: z.int().positive(),
});
export type EventPage = z.infer<typeof EventPage>;

/** What of the stream a caller wants. */
export const EventSelection = {
  kind: EventFilter.optional(),
  /** A machine's id, UUID or one of its MACs. */
  machine: z.string().min(1).max(64).optional(),
};

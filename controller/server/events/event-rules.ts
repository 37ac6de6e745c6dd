import { isDeepStrictEqual } from 'node:util';
import {
  type Edge,
  type Event,
  type EventKind,
  intentText,
  type Machine,
} from '@bootswarm/controller/contract';
import { channelId } from '@bootswarm/images/format';
import { channelsIn, targetsIn } from '@bootswarm/images/trust';
import type { Actor } from '../access/tokens.ts';
import type { Signed } from '../trust/repository.ts';

/** A value of the store before and after a commit; undefined where there was, or is, none. */
export interface KeyChange {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** An event as a rule tells it: when, by whom and in which request is told by who commits. */
export type Told = Omit<Event, 'number' | 'at' | 'by' | 'request'>;

/** A change below one word of the store; `name` is the rest of its key. */
interface Named<T> {
  readonly name: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

type Rule = (changes: readonly Named<unknown>[]) => readonly Told[];

/**
 * What each part of the store tells, by the first word of its keys. Of a word that stands neither here nor in SILENT,
 * `other.changed` is told: who adds a part adds its rule, and until then nothing goes unseen.
 */
const RULES: Readonly<Record<string, Rule>> = {
  assignments: setting('assignments.changed'),
  artefacts: comesAndGoes('artefact.arrived', 'artefact.removed'),
  'alarm-counts': tellRecords('segment.alarm'),
  'dhcp-policy': setting('policy.changed'),
  edges: always(tellEdge),
  'inspection-counts': each(({ name, after }) => [
    { kind: 'machine.inspected', subject: name, detail: `inspection ${after}` },
  ]),
  'machine-counts': tellRecords('machine.journal'),
  'machine-reservations': document('reservation'),
  'machine-rules': setting('rules.changed'),
  machines: always(tellMachine),
  mini: setting('mini.changed'),
  profiles: document('profile'),
  'release-pins': comesAndGoes('release.pinned', 'release.unpinned'),
  releases: comesAndGoes('release.published', 'release.removed'),
  retention: setting('retention.changed'),
  rollouts: each(tellRollout),
  secrets: each(({ name, after }) => [
    { kind: after === undefined ? 'secret.removed' : 'secret.set', subject: name },
  ]),
  segments: document('segment'),
  tokens: each(tellToken),
  trust: each(tellTrust),
  'webhook-retries': each(({ name, after }) =>
    after === undefined ? [] : [{ kind: 'webhook.retried', subject: name }],
  ),
  webhooks: document('webhook'),
};

/**
 * Keys that say again what others say, or are how the controller works: guards and indexes, slots of rings whose
 * counts are told, what removed releases left behind, and the events themselves.
 */
const SILENT = new Set([
  'events',
  'guards',
  'inspections',
  'kept-answer-times',
  'kept-answers',
  'log-counts',
  'machine-due',
  'machine-hardware',
  'machine-journal',
  'machine-macs',
  'machine-move-counts',
  'machine-move-records',
  'machine-names',
  'machine-records',
  'machine-rules-applied',
  'machine-uuids',
  'machines-indexed',
  'newcomer-installs',
  'alarm-records',
  'power-open',
  'removed-releases',
  'rollout-claims',
  'rollout-machines',
  'rollout-skipped',
  'signing-key',
  'webhook-dead',
  'webhook-states',
]);

function wordOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(0, slash);
}

/** Whether a change of this key may be an event. */
export function isTold(key: string): boolean {
  return !SILENT.has(wordOf(key));
}

/** What a commit that changes these keys tells, in the order of the keys. */
export function eventsOf(changes: readonly KeyChange[]): readonly Told[] {
  const byWord = Map.groupBy(
    changes.filter(({ key, before, after }) => isTold(key) && (before !== undefined || after !== undefined)),
    ({ key }) => wordOf(key),
  );
  return [...byWord].flatMap(([word, of]) => {
    const rule = Object.hasOwn(RULES, word) ? RULES[word] : undefined;
    if (!rule) return of.filter(isOther).map(({ key }): Told => ({ kind: 'other.changed', subject: key }));
    return rule(of.map(({ key, ...rest }) => ({ ...rest, name: key.slice(word.length + 1) || key })));
  });
}

function isOther({ before, after }: Pick<KeyChange, 'before' | 'after'>): boolean {
  return !isDeepStrictEqual(before, after);
}

/** A rule for one change at a time, of which the same put again is none. */
function each<T>(tell: (change: Named<T>) => readonly Told[]): Rule {
  return (changes) => changes.filter(isOther).flatMap((change) => tell(change as Named<T>));
}

/** The same for what is written again and again, where `tell` itself finds that nothing differs. */
function always<T>(tell: (change: Named<T>) => readonly Told[]): Rule {
  return (changes) => changes.flatMap((change) => tell(change as Named<T>));
}

function comesAndGoes(came: EventKind, went: EventKind): Rule {
  return each(({ name, before, after }) => {
    if (before === undefined) return [{ kind: came, subject: name }];
    return after === undefined ? [{ kind: went, subject: name }] : [];
  });
}

function document(family: 'segment' | 'profile' | 'reservation' | 'webhook'): Rule {
  return each<object>(({ name, before, after }) => {
    if (before === undefined) return [{ kind: `${family}.added`, subject: name }];
    if (after === undefined) return [{ kind: `${family}.removed`, subject: name }];
    return [{ kind: `${family}.changed`, subject: name, changed: fieldsThatDiffer(before, after) }];
  });
}

/** One document of which there is always one. */
function setting(kind: EventKind): Rule {
  return each<object>(({ name, before = {}, after = {} }) => [
    { kind, subject: name, changed: fieldsThatDiffer(before, after) },
  ]);
}

/** One event for all records of a commit, which names them rather than repeat them. */
function tellRecords(kind: 'machine.journal' | 'segment.alarm'): Rule {
  return (changes) => {
    const records = (changes as readonly Named<number>[]).flatMap(({ name, before = 0, after = 0 }) =>
      after > before ? [{ of: name, after: before, count: after - before }] : [],
    );
    const [first] = records;
    if (!first) return [];
    const subject = records.length === 1 ? first.of : `${records.length} of them`;
    return [{ kind, subject, records }];
  };
}

/** Fields that tell nothing of their own: they change with every word of an edge, or have events beside. */
const PASSING = new Set([
  ...['lastSeenAt', 'firstSeenAt', 'address', 'intent', 'epoch', 'spent', 'work', 'power'],
  ...['state', 'stateSince', 'deadlineAt', 'cause', 'workEpoch', 'inspectedAt', 'before', 'installAt'],
]);

/** Where a machine stands in its life, and the last action on its power. */
interface Standing {
  readonly state?: string | undefined;
  readonly cause?: string | undefined;
  readonly power?: { readonly number: number; readonly action: string; readonly state: string } | undefined;
}

/** Runs for every machine of every batch of an edge's journal: nothing is parsed or compared twice. */
function tellMachine({ name: subject, before, after }: Named<Machine & Standing>): readonly Told[] {
  if (!after) return [{ kind: 'machine.removed', subject }];
  const told: Told[] = [];
  const changed = before ? fieldsThatDiffer(before, after, PASSING) : [];
  if (!before)
    told.push({ subject, kind: 'machine.registered', detail: short(`MAC ${after.macs.join(', ')}`) });
  else if (changed.length > 0) told.push({ subject, kind: 'machine.changed', changed });
  const { intent, epoch, spent, work, state, cause, power } = after;
  if (intent && (epoch !== before?.epoch || !isDeepStrictEqual(intent, before?.intent)))
    told.push({ subject, kind: 'machine.intent', detail: short(intentText(intent)) });
  if (spent && spent.epoch !== before?.spent?.epoch)
    told.push({ subject, kind: 'machine.spent', detail: short(`epoch ${spent.epoch}: ${spent.detail}`) });
  if (work && (work.epoch !== before?.work?.epoch || work.state !== before.work.state))
    told.push({ subject, kind: 'machine.work', detail: short(`${work.kind} ${work.state}: ${work.detail}`) });
  if (state !== undefined && state !== before?.state)
    told.push({ subject, kind: 'machine.state', detail: moveText(before?.state, state, cause) });
  if (power && (power.number !== before?.power?.number || power.state !== before.power.state))
    told.push({ subject, kind: 'machine.power', detail: `${power.action} ${power.state}` });
  return told;
}

/** `installing to failed: no_first_boot` */
function moveText(from: string | undefined, to: string, cause: string | undefined): string {
  return short(`${from === undefined ? '' : `${from} `}to ${to}${cause === undefined ? '' : `: ${cause}`}`);
}

/** As a rollout stands, of which machines and how far each is it does not tell. */
interface RolloutStanding {
  readonly state: string;
  readonly cause?: string | undefined;
  readonly wave: number;
}

function tellRollout({ name: subject, before, after }: Named<RolloutStanding>): readonly Told[] {
  if (!after) return [{ kind: 'rollout.removed', subject }];
  if (!before) return [{ kind: 'rollout.added', subject, detail: short(after.state) }];
  const { state, cause, wave } = after;
  const moves = state === before.state ? [] : [moveText(before.state, state, cause)];
  const waves = wave === before.wave ? [] : [`wave ${wave + 1}`];
  const detail = [...moves, ...waves].join(', ');
  return detail === '' ? [] : [{ kind: 'rollout.moved', subject, detail }];
}

function short(detail: string): string {
  return detail.slice(0, 500);
}

function tellEdge({ name: subject, before, after }: Named<Edge>): readonly Told[] {
  if (!after) return [{ kind: 'edge.removed', subject }];
  if (!before) return [{ kind: 'edge.added', subject }];
  const told: Told[] = [];
  if (after.joinedAt !== before.joinedAt) told.push({ kind: 'edge.joined', subject });
  const changed = (['rate', 'site'] as const).filter((key) => !isDeepStrictEqual(before[key], after[key]));
  if (changed.length > 0) told.push({ kind: 'edge.changed', subject, changed });
  const ready = new Set(before.status?.ready);
  const more = (after.status?.ready ?? []).filter((sha256) => !ready.has(sha256));
  if (more.length > 0) told.push({ kind: 'edge.ready', subject, detail: `${more.length} more artefacts` });
  return told;
}

function tellToken({ name, before, after }: Named<Actor>): readonly Told[] {
  const token = after ?? before;
  if (!token) return [];
  const subject = token.kind === 'operator' ? `operator ${name.slice(0, 8)}` : `${token.kind} ${token.edge}`;
  return [{ kind: after ? 'token.made' : 'token.ended', subject }];
}

function tellTrust({ name, before, after }: Named<unknown>): readonly Told[] {
  if (name === 'roots') return [{ kind: 'trust.root', subject: 'root' }];
  if (name !== 'signed') return [{ kind: 'trust.keys', subject: name }];
  const [held, next] = [before, after].map((value) => (value as Signed | undefined)?.targets.at(-1));
  // The timestamp alone is signed anew day by day.
  if (held === next) return [];
  return [{ kind: 'trust.targets', subject: 'targets' }, ...tellChannels(held, next)];
}

function tellChannels(held: string | undefined, next: string | undefined): readonly Told[] {
  const [before, after] = [held, next].map((text) => {
    const pointers = text === undefined ? [] : [...channelsIn(targetsIn(text)).values()];
    return new Map(pointers.map((pointer) => [channelId(pointer), pointer]));
  });
  const came = [...(after ?? [])].flatMap(([subject, pointer]): Told[] => {
    const was = before?.get(subject);
    if (isDeepStrictEqual(was, pointer)) return [];
    const detail = `to version ${pointer.version}${pointer.pinned ? ', pinned' : ''}`;
    return [{ kind: was ? 'channel.moved' : 'channel.added', subject, detail }];
  });
  const went = [...(before?.keys() ?? [])].filter((id) => !after?.has(id));
  return [...came, ...went.map((subject): Told => ({ kind: 'channel.removed', subject }))];
}

function fieldsThatDiffer(before: object, after: object, passing: ReadonlySet<string> = new Set()): string[] {
  const [held, next] = [before, after] as readonly Readonly<Record<string, unknown>>[];
  const changed = Object.keys(after).filter(
    (field) => !passing.has(field) && !isDeepStrictEqual(held?.[field], next?.[field]),
  );
  const gone = Object.keys(before).filter((field) => !passing.has(field) && !Object.hasOwn(after, field));
  return [...changed, ...gone].toSorted();
}

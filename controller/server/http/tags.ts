import { createHash } from 'node:crypto';
import { Edge, type Endpoint, Profile, problem, Segment } from '@bootswarm/controller/contract';
import { canonicalJson } from '@bootswarm/images/format';
import type { z } from 'zod';
import { pointersIn } from '../catalogue/channels.ts';
import { edgeKey } from '../edges/edges.ts';
import { policyIn } from '../edges/policy.ts';
import { assignmentsIn } from '../machines/assignments.ts';
import { MachineDraft } from '../machines/machine-draft.ts';
import { ruleIn } from '../machines/rules.ts';
import { readRollout } from '../rollouts/board.ts';
import type { Condition } from '../store/condition.ts';
import type { Entry } from '../store/state-store.ts';
import type { Reads } from '../store/transact.ts';

type Tagged = NonNullable<Endpoint['tagged']>;
type Params = Readonly<Record<string, string>>;

interface Kind {
  /** The thing that a call is about, as it stands; undefined where there is none. */
  readonly held: (reads: Reads, params: Params) => Promise<object | undefined>;
  /** Of it, what an operator may change; all of it where this is left out. */
  readonly counted?: (thing: Readonly<Record<string, unknown>>) => object;
}

const KINDS: Readonly<Record<Tagged, Kind>> = {
  assignment: {
    held: async (reads, { name }) => (await assignmentsIn(reads)).find((each) => each.name === name),
  },
  channels: { held: pointersIn },
  edge: {
    held: async (reads, { name = '' }) => parsed(Edge, await reads.get(edgeKey(name))),
    counted: ({ name, site, rate }) => ({ name, ...(site ? { site } : {}), ...(rate ? { rate } : {}) }),
  },
  machine: { held: (reads, { machine = '' }) => new MachineDraft(reads).find(machine), counted: steadyOf },
  policy: { held: policyIn },
  profile: { held: async (reads, { name }) => parsed(Profile, await reads.get(`profiles/${name}`)) },
  // Its machines move by themselves; it is another where it was told to be, or came to a wave or an end.
  rollout: {
    held: (reads, { name = '' }) => readRollout(reads, name),
    counted: ({ startedAt, revision }) => ({ startedAt, revision }),
  },
  rule: { held: (reads, { name = '' }) => ruleIn(reads, name) },
  segment: { held: async (reads, { name }) => parsed(Segment, await reads.get(`segments/${name}`)) },
};

function parsed<T>(schema: z.ZodType<T>, entry: Entry | undefined): T | undefined {
  return entry && schema.parse(entry.value);
}

/** What a machine does by itself, again and again: whoever changes what operators say of it need not have seen that. */
const PASSING = new Set([
  ...['journal', 'firstSeenAt', 'lastSeenAt', 'address', 'segment', 'work', 'spent', 'power'],
  ...['stateSince', 'deadlineAt', 'inspectedAt', 'properties', 'hardwareChanged', 'notInstalled'],
]);

function steadyOf(machine: object): object {
  return Object.fromEntries(Object.entries(machine).filter(([field]) => !PASSING.has(field)));
}

/** The entity tag of a thing: it differs where anything differs that an operator may change. */
export function tagOf(tagged: Tagged, thing: object): string {
  const counted = KINDS[tagged].counted?.(thing as Readonly<Record<string, unknown>>) ?? thing;
  return `"${createHash('sha256').update(canonicalJson(counted)).digest('base64url').slice(0, 22)}"`;
}

export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/**
 * What If-Match and If-None-Match ask of a change; undefined where they ask nothing.
 * @throws Problem input_invalid
 */
export function conditionOf(
  tagged: Tagged,
  params: Params,
  { ifMatch, ifNoneMatch }: Preconditions,
): Condition | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  const wanted = ifMatch === undefined ? undefined : tagsIn('if-match', ifMatch);
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*')
    throw malformed('if-none-match', "must be '*' here: that there is none yet");
  const name = params['name'] ?? params['machine'];
  const what = name === undefined ? `the ${tagged}` : `${tagged} ${name}`;
  return async (reads) => {
    const held = await KINDS[tagged].held(reads, params);
    const isWanted =
      wanted === undefined ||
      (held !== undefined && (wanted === '*' || wanted.includes(tagOf(tagged, held))));
    if (!isWanted || (ifNoneMatch !== undefined && held !== undefined))
      throw problem('changed_meanwhile', { facts: { what } });
  };
}

/**
 * Whether the If-None-Match of a GET names a tag (RFC 9110, 13.1.2): a weak one does as well.
 * @throws Problem input_invalid
 */
export function namesTag(header: string, tag: string): boolean {
  const tags = tagsIn('if-none-match', header);
  return tags === '*' || tags.some((each) => each.replace(/^W\//, '') === tag);
}

/** RFC 9110, 13.1.1: `*`, or tags between commas. A weak one never matches. */
function tagsIn(field: string, header: string): '*' | readonly string[] {
  if (header.trim() === '*') return '*';
  const tags = header.split(',').map((each) => each.trim());
  if (tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) return tags;
  throw malformed(field, "must be '*', or the ETag of an answer as it came, in quotes");
}

function malformed(field: string, reason: string): Error {
  return problem('input_invalid', { field, facts: { reason } });
}

import { createHash } from 'node:crypto';
import { type Endpoint, Profile, problem, Segment } from '@bootswarm/controller/contract';
import { canonicalJson } from '@bootswarm/images/format';
import { MachineDraft } from '../machines/machine-draft.ts';
import type { Condition } from '../store/condition.ts';
import type { Reads } from '../store/transact.ts';

type Tagged = NonNullable<Endpoint['tagged']>;
type Params = Readonly<Record<string, string>>;

/** The thing that a call is about, as it stands; undefined where there is none. */
const HELD: Readonly<Record<Tagged, (params: Params, reads: Reads) => Promise<object | undefined>>> = {
  machine: ({ machine = '' }, reads) => new MachineDraft(reads).find(machine),
  profile: async ({ name }, reads) => {
    const entry = await reads.get(`profiles/${name}`);
    return entry && Profile.parse(entry.value);
  },
  segment: async ({ name }, reads) => {
    const entry = await reads.get(`segments/${name}`);
    return entry && Segment.parse(entry.value);
  },
};

/** What a machine does by itself, again and again: whoever changes what operators say of it need not have seen that. */
const PASSING = new Set([
  ...['journal', 'firstSeenAt', 'lastSeenAt', 'address', 'segment', 'work', 'spent', 'power'],
  ...['stateSince', 'deadlineAt', 'inspectedAt', 'properties', 'hardwareChanged', 'notInstalled'],
]);

/** The entity tag of a thing: it differs where anything differs that an operator may change. */
export function tagOf(tagged: Tagged, thing: object): string {
  const counted =
    tagged === 'machine'
      ? Object.fromEntries(Object.entries(thing).filter(([field]) => !PASSING.has(field)))
      : thing;
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
  const what = `${tagged} ${params['name'] ?? params['machine']}`;
  return async (reads) => {
    const held = await HELD[tagged](params, reads);
    const isWanted =
      wanted === undefined ||
      (held !== undefined && (wanted === '*' || wanted.includes(tagOf(tagged, held))));
    if (!isWanted || (ifNoneMatch !== undefined && held !== undefined))
      throw problem('changed_meanwhile', { facts: { what } });
  };
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

import {
  type DeadLetter,
  type Edge,
  type Endpoint,
  type Machine,
  type MachineReservation,
  type Order,
  type PageAsked,
  type Profile,
  pageOf,
  type Release,
  type Rollout,
  type Segment,
} from '@bootswarm/controller/contract';
import { releaseId } from '@bootswarm/images/format';

type Paged = NonNullable<Endpoint['paged']>;
type Cut = (
  result: unknown,
  asked: PageAsked,
) => { readonly result: unknown; readonly next?: string | undefined };

/** How pages are made of what a call gives. */
const CUTS: Readonly<Record<Paged, Cut>> = {
  'dead-letter': by<DeadLetter>({ keyOf: ({ event }) => String(event.number).padStart(12, '0') }),
  edge: by<Edge>({ keyOf: ({ name }) => name }),
  machine: by<Machine>({ keyOf: ({ id }) => id }),
  profile: by<Profile>({ keyOf: ({ name }) => name }),
  release: by<Release>({ keyOf: ({ manifest }) => releaseId(manifest) }),
  reservation: by<MachineReservation>({ keyOf: ({ name }) => name }),
  rollout: by<Rollout>({ keyOf: ({ startedAt, order }) => `${startedAt}/${order.name}`, isFalling: true }),
  segment: by<Segment>({ keyOf: ({ name }) => name }),
  // What makes pages by itself.
  told: (result) => ({ result, next: (result as { readonly next?: string }).next }),
};

function by<T>(order: Order<T>): Cut {
  return (result, asked) => {
    const { items, next } = pageOf(result as readonly T[], order, asked);
    return { result: items, next };
  };
}

/** The page of a result that is asked for, and the cursor of the next; all of it where the call has no pages. */
export function cutPage({ paged }: Endpoint, result: unknown, asked: PageAsked): ReturnType<Cut> {
  return paged === undefined ? { result } : CUTS[paged](result, asked);
}

import { z } from 'zod';
import { BootCause } from './boot-causes.ts';
import type { Intent } from './intent.ts';
import type { EdgeRecord } from './journal.ts';
import { Instant, Name } from './names.ts';

/** How the work on the disks of a machine stands, as far as its edges told: the last epoch of which they spoke. */
export const WorkStanding = z.strictObject({
  kind: z.enum(['install', 'wipe']),
  epoch: z.int().positive(),
  /** `active`: the installed system said that it is up. */
  state: z.enum(['begun', 'done', 'active', 'failed']),
  /** Nothing more is tried for this epoch. */
  isOver: z.boolean(),
  /** Of a failure. */
  cause: BootCause.optional(),
  /** Since when, and as which edge told. */
  at: Instant,
  edge: Name,
  detail: z.string().max(500),
});
export type WorkStanding = z.infer<typeof WorkStanding>;

type WorkRecord = Pick<EdgeRecord, 'stage' | 'epoch' | 'spentEpoch' | 'cause' | 'at' | 'edge' | 'detail'>;

/** How the work stands after one more record of the machine; records of other things change nothing. Pure. */
export function standingAfter(
  held: WorkStanding | undefined,
  { stage, epoch, spentEpoch, cause, at, edge, detail }: WorkRecord,
): WorkStanding | undefined {
  if (epoch === undefined || epoch < (held?.epoch ?? 0)) return held;
  const before = held?.epoch === epoch ? held : undefined;
  const told = { epoch, at, edge, detail, ...(cause === undefined ? {} : { cause }) };
  switch (stage) {
    case 'install':
    case 'wipe': {
      // What an edge repeats, or tells late, does not undo what came after it.
      if (before?.isOver) return held;
      const isOver = spentEpoch !== undefined;
      const state = cause !== undefined ? 'failed' : isOver ? 'done' : 'begun';
      return { ...told, kind: stage, state, isOver };
    }
    case 'first-boot':
      if (before?.state === 'active') return held;
      return { ...told, kind: 'install', state: cause === undefined ? 'active' : 'failed', isOver: true };
    default:
      return held;
  }
}

/** How an installation or wipe stands, for a person. */
export interface WorkStory {
  readonly state: 'armed' | 'installing' | 'installed' | 'active' | 'wiping' | 'wiped' | 'failed';
  readonly cause?: BootCause;
  readonly since?: string;
  readonly detail: string;
}

/** The story of what a machine was last told to write to its disks; undefined where that is over and done with. Pure. */
export function workStory({
  intent,
  epoch = 0,
  work,
}: {
  readonly intent?: Intent | undefined;
  readonly epoch?: number | undefined;
  readonly work?: WorkStanding | undefined;
}): WorkStory | undefined {
  const isArmed = intent?.kind === 'install' || intent?.kind === 'wipe';
  if (isArmed && (work === undefined || work.epoch < epoch))
    return { state: 'armed', detail: `begins at its next boot: ${intent.kind}` };
  // Of a machine that now boots something else, what its disk holds is no news.
  if (!work || (!isArmed && intent !== undefined && intent.kind !== 'local')) return undefined;
  const { at: since, detail } = work;
  const cause = work.cause === undefined ? {} : { cause: work.cause };
  return { state: stateOf(work), ...cause, since, detail };
}

function stateOf({ kind, state, isOver }: WorkStanding): WorkStory['state'] {
  switch (state) {
    case 'active':
      return 'active';
    case 'done':
      return kind === 'install' ? 'installed' : 'wiped';
    case 'failed':
      if (isOver) return 'failed';
      return kind === 'install' ? 'installing' : 'wiping';
    case 'begun':
      return kind === 'install' ? 'installing' : 'wiping';
  }
}

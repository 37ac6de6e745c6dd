import { z } from 'zod';
import { Intent } from './intent.ts';
import { Instant, Name } from './names.ts';
import { ReleaseRef } from './release-ref.ts';
import { RolloutCause, RolloutState, RolloutStep, WaveState } from './rollout-state.ts';
import { WavesText } from './rollout-waves.ts';
import { RolloutWindow } from './rollout-window.ts';
import { SelectorText } from './selector.ts';

/** More than a rollout is likely to have at once, and few enough for a commit. */
const AT_ONCE_MOST = 5000;
const WEEK_MINUTES = 7 * 24 * 60;

/** `{machine}`, `{mac}` and `{address}` stand for those of the machine. */
const HttpUrl = z
  .string()
  .max(500)
  .refine((text) => {
    const filled = text.replace(/\{(machine|mac|address)\}/g, '1');
    if (!URL.canParse(filled) || /[{}]/.test(filled)) return false;
    const { protocol, username, password } = new URL(filled);
    return /^https?:$/.test(protocol) && username === '' && password === '';
  }, 'must be a URL of http or https without user and password, in which {machine}, {mac} and {address} may stand');

const Command = {
  /** A program in the folder that the controller was started with (--rollout-commands). It runs without a shell. */
  command: Name,
  args: z.array(z.string().max(500)).max(32).default([]),
};

/**
 * Called before or after a machine is worked on, again and again until it answers 2xx: a POST as Standard Webhooks
 * describes it, whose `webhook-id` stays the same.
 */
const Hook = z.strictObject({
  url: HttpUrl,
  /** Name of the secret that signs it ('bootswarm secret set'): `whsec_` and base64, or any other text as it stands. */
  secret: Name,
  withinSeconds: z
    .int()
    .min(1)
    .max(24 * 3600)
    .default(300),
});
export type Hook = z.infer<typeof Hook>;

/** Asked again and again until it passes: a 2xx, or the exit code 0. */
export const HealthCheck = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('url'),
    url: HttpUrl,
    withinSeconds: z
      .int()
      .min(1)
      .max(24 * 3600)
      .default(300),
    everySeconds: z.int().min(1).max(3600).default(5),
  }),
  z.strictObject({
    kind: z.literal('command'),
    ...Command,
    withinSeconds: z
      .int()
      .min(1)
      .max(24 * 3600)
      .default(300),
    everySeconds: z.int().min(1).max(3600).default(5),
  }),
]);
export type HealthCheck = z.infer<typeof HealthCheck>;

const AtOnce = z.int().min(1).max(AT_ONCE_MOST);

/**
 * How many machines are in flight at once. Those of an edge, a segment, a rack or an uplink count together with what
 * other rollouts have in flight there.
 */
export const RolloutLimits = z.strictObject({
  /** Of this rollout alone. */
  atOnce: AtOnce.default(50),
  perEdge: AtOnce.optional(),
  perSegment: AtOnce.optional(),
  perRack: AtOnce.optional(),
  perUplink: AtOnce.optional(),
});
export type RolloutLimits = z.infer<typeof RolloutLimits>;

/** What must hold before a machine counts as done, and before the next wave begins. */
const RolloutGates = z.strictObject({
  /** From power on to the first sign of the machine; it is power cycled once more after that. */
  signMinutes: z.int().min(1).max(WEEK_MINUTES).default(15),
  /** From power on to the installed system, or the live one, saying that it is up. */
  firstBootMinutes: z.int().min(1).max(WEEK_MINUTES).default(60),
  health: HealthCheck.optional(),
  /** Machines of a wave that may fail: `0`, or a share of the wave such as `5%`. */
  failuresMost: z
    .string()
    .regex(/^(0|[1-9]\d{0,5}|([1-9]?\d|100)%)$/, 'must be a number of machines, or a share such as 5%')
    .default('0'),
  /** Before which waves an operator is waited for: none, each, or each but the first. */
  approval: z.enum(['never', 'after-first', 'always']).default('never'),
  /** For which a wave must last without another failure, before the next begins. */
  soakMinutes: z.int().min(0).max(WEEK_MINUTES).default(0),
});

/** What an operator wants: a release, on whom, in which waves, within which limits, through which gates. */
export const RolloutOrder = z
  .strictObject({
    name: Name,
    /** A channel is looked up once, when the rollout starts. */
    release: ReleaseRef,
    /** By which machines are installed; without it they boot the release live. */
    profile: Name.optional(),
    /** Of live: as of intents. */
    by: z.literal('agent').optional(),
    /** Which machines: a selector. */
    match: SelectorText.min(1),
    /** Machines of this reservation may be used; those of others are left out. */
    reservation: Name.optional(),
    waves: WavesText.default('1,5%,25%,rest'),
    limits: RolloutLimits.prefault({}),
    gates: RolloutGates.prefault({}),
    window: RolloutWindow.optional(),
    onFailure: z.enum(['stop', 'rollback']).default('stop'),
    /** For machines of which it is not known what they ran before; by the same profile. */
    rollbackTo: ReleaseRef.optional(),
    hooks: z.strictObject({ before: Hook.optional(), after: Hook.optional() }).default({}),
    /** `none`: machines boot when they do, for instance because somebody walks past them. */
    power: z.enum(['cycle', 'none']).default('cycle'),
    /** What becomes of machines that another rollout is at work on. */
    taken: z.enum(['refuse', 'skip']).default('refuse'),
    /** How long a machine waits for the edges of its segment to have the release. */
    edgeWaitMinutes: z.int().min(0).max(WEEK_MINUTES).default(120),
  })
  .refine(({ profile, by }) => profile === undefined || by === undefined, {
    path: ['by'],
    message: 'is of live rollouts: the agent installs by a profile anyway',
  })
  .refine(({ gates }) => gates.signMinutes <= gates.firstBootMinutes, {
    path: ['gates', 'signMinutes'],
    message: 'must be at most firstBootMinutes',
  });
export type RolloutOrder = z.infer<typeof RolloutOrder>;

/** Where a machine stands in the network: what limits count by, and waves may be made by. */
export const RolloutPlace = z.strictObject({
  segment: Name.optional(),
  rack: z.string().max(100).optional(),
  /** What its segment's edges fetch through: their site, where nothing else is said. */
  uplink: z.string().max(100).optional(),
});
export type RolloutPlace = z.infer<typeof RolloutPlace>;

/** One machine of a rollout. */
export const RolloutMachine = z.strictObject({
  /** Its id. */
  machine: z.string(),
  /** Counted from 0. */
  wave: z.int().min(0),
  place: RolloutPlace,
  /** What it goes back to; left out where that is not known. */
  before: Intent.optional(),
  step: RolloutStep,
  since: Instant,
  /** Of this step. */
  deadlineAt: Instant.optional(),
  /** Of the intent that the rollout set last: whoever speaks of another is not believed. */
  epoch: z.int().positive().optional(),
  /** Power actions for that epoch. */
  powerActions: z.int().min(0).optional(),
  /** How many records there were of the machine when that intent was set: what edges tell comes after. */
  recordsBefore: z.int().min(0).optional(),
  /** When its turn came: how long machines take is known by it. */
  begunAt: Instant.optional(),
  cause: RolloutCause.optional(),
  detail: z.string().max(500).optional(),
});
export type RolloutMachine = z.infer<typeof RolloutMachine>;

const RolloutWave = z.strictObject({
  /** `1`, or `rack r7`. */
  name: z.string().max(200),
  size: z.int().positive(),
  state: WaveState,
  since: Instant,
});
export type RolloutWave = z.infer<typeof RolloutWave>;

/** Why a machine that the selector matches is left out. */
const SKIP_REASONS = {
  maintenance: 'it is in maintenance',
  reserved: 'it is reserved for {by}',
  taken: 'rollout {by} is at work on it',
  has_release: 'it has the release already',
  segment_unknown: 'no edge has seen it yet, so its segment is not known',
} as const;
const SkipReason = z.enum(Object.keys(SKIP_REASONS) as [keyof typeof SKIP_REASONS]);

export const SkippedMachine = z.strictObject({
  machine: z.string(),
  reason: SkipReason,
  /** Who reserved it, or which rollout. */
  by: z.string().optional(),
});
export type SkippedMachine = z.infer<typeof SkippedMachine>;

export function skipText({ reason, by = '' }: SkippedMachine): string {
  return SKIP_REASONS[reason].replace('{by}', by);
}

/** A rollout as it stands. */
export const Rollout = z.strictObject({
  order: RolloutOrder,
  /** The release itself, where the order names a channel. */
  release: ReleaseRef,
  /** Releases that machines may have to go back to: they stay as long as it does. */
  releasesBefore: z.array(ReleaseRef),
  state: RolloutState,
  since: Instant,
  startedAt: Instant,
  cause: RolloutCause.optional(),
  detail: z.string().max(500).optional(),
  /** Which of the waves is at work, counted from 0. */
  wave: z.int().min(0),
  waves: z.array(RolloutWave).min(1),
  /** Segments of its machines: their edges fetch the release beforehand. */
  segments: z.array(Name),
  skipped: z.int().min(0),
  /** As the plan said; without windows and approvals. */
  estimatedSeconds: z.int().min(0),
  /** What a machine that came to be done took in the middle, once it is over: the next plan reckons with it. */
  tookSeconds: z.int().min(0).optional(),
  /** Counts up with every change of the rollout itself. A command that names an older one is refused. */
  revision: z.int().positive(),
});
export type Rollout = z.infer<typeof Rollout>;

/** How many machines are at each step; steps without any are left out. */
const StepCounts = z.partialRecord(RolloutStep, z.int().positive());

/** A rollout, and where its machines are. */
export const RolloutStory = Rollout.extend({
  counts: StepCounts,
  /** The same of each wave. */
  waveCounts: z.array(StepCounts),
  /** Counts up with every change of it or its machines, as long as the controller runs. */
  changes: z.int().min(0),
  /** Why machines that could begin do not: edges that lack the release, by segment. At most ten. */
  heldBy: z.array(z.strictObject({ segment: Name, reason: z.string().max(700) })),
});
export type RolloutStory = z.infer<typeof RolloutStory>;

/** What a rollout would do, machine by machine; nothing is kept of it. */
export const RolloutPlan = z.strictObject({
  release: ReleaseRef,
  waves: z.array(z.strictObject({ name: z.string(), machines: z.array(z.string()).min(1) })),
  skipped: z.array(SkippedMachine),
  /** Machines of which it is not known what they go back to. */
  withoutBefore: z.int().min(0),
  /** Segments whose edges do not have the release yet. */
  notReady: z.array(z.strictObject({ segment: Name, reason: z.string().max(700) })),
  estimate: z.strictObject({
    /** That machines fetch in all. */
    bytes: z.int().min(0),
    seconds: z.int().min(0),
    /** `measured`: as long as machines of earlier rollouts took; `deadline`: as long as each may take at most. */
    basis: z.enum(['measured', 'deadline']),
  }),
});
export type RolloutPlan = z.infer<typeof RolloutPlan>;

/** An operator's word to a rollout. */
export const RolloutCommand = z.strictObject({
  /** Of the rollout as the operator saw it; where it changed since, the command is refused. */
  revision: z.int().positive().optional(),
});

/** What a hook is told; the body of its POST. */
export interface HookCall {
  readonly type: 'rollout.machine.before' | 'rollout.machine.after';
  readonly timestamp: string;
  readonly data: {
    readonly rollout: string;
    readonly release: string;
    readonly machine: string;
    readonly macs: readonly string[];
    readonly address?: string;
    readonly segment?: string;
    /** Of `after`: whether the machine has the release, went back, or was not touched. */
    readonly outcome?: 'done' | 'undone' | 'skipped';
  };
}

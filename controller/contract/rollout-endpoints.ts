import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Name } from './names.ts';
import { PAGE_MOST, PageQuery } from './page.ts';
import {
  Rollout,
  RolloutCommand,
  RolloutMachine,
  RolloutOrder,
  RolloutPlan,
  RolloutStory,
  SkippedMachine,
} from './rollout.ts';
import { RolloutStep } from './rollout-state.ts';

const ByName = z.object({ name: Name });
/** Longest that a call waits for a rollout to change, in seconds. */
const WAIT_MOST_SECONDS = 60;

const command = {
  method: 'post',
  tagged: 'rollout',
  audience: 'operator',
  params: ByName,
  body: RolloutCommand,
  result: Rollout,
} as const;

/** Rollouts: a release on many machines, wave by wave. */
export const rolloutEndpoints = {
  listRollouts: {
    method: 'get',
    path: '/v1/rollouts',
    summary: 'All rollouts, the newest first',
    paged: 'rollout',
    audience: 'operator',
    query: z.object(PageQuery),
    result: z.array(Rollout),
  },
  planRollout: {
    method: 'post',
    path: '/v1/rollouts/plan',
    summary: 'What a rollout would do, machine by machine. Nothing is kept of it',
    audience: 'operator',
    body: RolloutOrder,
    result: RolloutPlan,
  },
  startRollout: {
    method: 'post',
    path: '/v1/rollouts',
    summary: 'Start a rollout. The same order under the same name again changes nothing',
    audience: 'operator',
    body: RolloutOrder,
    result: Rollout,
  },
  showRollout: {
    method: 'get',
    path: '/v1/rollouts/{name}',
    summary:
      'One rollout and how many machines are at which step; waits until something changed since `after`',
    tagged: 'rollout',
    audience: 'operator',
    params: ByName,
    query: z.object({
      /** The `changes` of the answer before; -1 does not wait. */
      after: z.coerce.number().int().min(-1).default(-1),
      waitSeconds: z.coerce.number().int().min(0).max(WAIT_MOST_SECONDS).default(0),
    }),
    result: RolloutStory,
  },
  listRolloutMachines: {
    method: 'get',
    path: '/v1/rollouts/{name}/machines',
    summary: 'Machines of a rollout in the order of their ids; `next` is the cursor of the next page',
    paged: 'told',
    audience: 'operator',
    params: ByName,
    query: z.object({
      ...PageQuery,
      /** As `cursor` was named at first. */
      after: z.string().max(64).default(''),
      limit: z.coerce.number().int().min(1).max(PAGE_MOST).default(PAGE_MOST),
      wave: z.coerce.number().int().min(0).optional(),
      step: RolloutStep.optional(),
    }),
    result: z.strictObject({ machines: z.array(RolloutMachine), next: z.string().optional() }),
  },
  listRolloutSkipped: {
    method: 'get',
    path: '/v1/rollouts/{name}/skipped',
    summary:
      'Machines that the selector matched and that were left out, and why; of each page as of machines',
    paged: 'told',
    audience: 'operator',
    params: ByName,
    query: z.object({
      ...PageQuery,
      after: z.string().max(64).default(''),
      limit: z.coerce.number().int().min(1).max(PAGE_MOST).default(PAGE_MOST),
    }),
    result: z.strictObject({ skipped: z.array(SkippedMachine), next: z.string().optional() }),
  },
  pauseRollout: {
    ...command,
    path: '/v1/rollouts/{name}/pause',
    summary: 'Take no more machines on until it is resumed; those in flight go on',
  },
  resumeRollout: {
    ...command,
    path: '/v1/rollouts/{name}/resume',
    summary: 'Go on after a pause',
  },
  approveRollout: {
    ...command,
    path: '/v1/rollouts/{name}/approve',
    summary: 'Let the wave begin that waits for approval',
  },
  abortRollout: {
    ...command,
    path: '/v1/rollouts/{name}/abort',
    summary: 'Take no more machines on for good; those in flight come to their end',
  },
  rollbackRollout: {
    ...command,
    path: '/v1/rollouts/{name}/rollback',
    summary: 'Take every machine that was touched back to what it was before',
  },
  removeRollout: {
    method: 'delete',
    path: '/v1/rollouts/{name}',
    summary: 'Forget a rollout that is over',
    tagged: 'rollout',
    audience: 'operator',
    params: ByName,
    result: z.strictObject({}),
  },
} as const satisfies Readonly<Record<string, Endpoint>>;

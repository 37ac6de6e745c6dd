import { setTimeout as sleep } from 'node:timers/promises';
import type { Hook, HookCall, Machine } from '@bootswarm/controller/contract';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import { AddressRefused, send } from '../outgoing/send.ts';
import { signedHeaders } from '../outgoing/signature.ts';
import type { ErrandEnd } from './planner/index.ts';
import { fillUrl } from './urls.ts';

/** For one answer; a receiver that drains a machine for longer answers 202 and then 2xx once it is asked again. */
const ANSWER_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
const PAUSE_MOST_MS = 30_000;

export interface HookParts {
  readonly hook: Hook;
  /** The value of the secret that the hook names. */
  readonly secret: string;
  /** The same for each try: by it the receiver knows that it heard of this before. No dots. */
  readonly id: string;
  readonly call: HookCall;
  readonly machine: Machine;
  readonly deadline: Date;
  readonly isAllowed: NetworkRule;
  readonly pauseMs?: number;
}

/**
 * Calls a hook until it answers 2xx, or its deadline has passed. 202 means that it is at it: it is asked again.
 * Redirects are not followed.
 * @throws AddressRefused, and does not try again, where nothing may be sent to its address.
 */
export async function callHook(parts: HookParts, signal: AbortSignal): Promise<ErrandEnd> {
  const { hook, machine, deadline, pauseMs = FIRST_PAUSE_MS } = parts;
  const url = fillUrl(hook.url, machine);
  let detail = 'it was not called in time';
  for (let pause = pauseMs; ; pause = Math.min(pause * 2, PAUSE_MOST_MS)) {
    signal.throwIfAborted();
    const leftMs = deadline.getTime() - Date.now();
    if (leftMs <= 0) return { ok: false, detail: `${url}: ${detail}` };
    const answered = await post(url, parts, Math.min(leftMs, ANSWER_MS), signal);
    if (answered.ok) return answered;
    detail = answered.detail;
    await sleep(Math.min(pause, Math.max(0, deadline.getTime() - Date.now())), undefined, { signal });
  }
}

async function post(
  url: string,
  { secret, id, call, isAllowed }: HookParts,
  withinMs: number,
  signal: AbortSignal,
): Promise<ErrandEnd> {
  const body = JSON.stringify(call);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'bootswarm-rollout',
    ...signedHeaders(secret, id, new Date(), body),
  };
  try {
    const status = await send(
      new URL(url),
      { method: 'POST', headers, body },
      { isAllowed, signal, withinMs },
    );
    if (isDone(status)) return { ok: true };
    return { ok: false, detail: `it answered ${status}` };
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    if (error instanceof AddressRefused) throw new AddressRefused(`${url}: ${message}`, { cause: error });
    return { ok: false, detail: message };
  }
}

function isDone(status: number): boolean {
  return status >= 200 && status < 300 && status !== 202;
}

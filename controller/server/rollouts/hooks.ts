import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hook, HookCall, Machine } from '@bootswarm/controller/contract';
import type { ErrandEnd } from './planner/index.ts';

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
  readonly pauseMs?: number;
}

/**
 * Calls a hook until it answers 2xx, or its deadline has passed. 202 means that it is at it: it is asked again.
 * Redirects are not followed.
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
  { secret, id, call }: HookParts,
  withinMs: number,
  signal: AbortSignal,
): Promise<ErrandEnd> {
  const body = JSON.stringify(call);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      body,
      headers: { 'content-type': 'application/json', ...signatureHeaders(id, body, secret, new Date()) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
    await answer.body?.cancel();
    if (answer.ok && answer.status !== 202) return { ok: true };
    return { ok: false, detail: `it answered ${answer.status}` };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, detail: reasonOf(error) };
  }
}

/** Of Standard Webhooks: HMAC-SHA256 over id, seconds and body, under the decoded secret. */
function signatureHeaders(
  id: string,
  body: string,
  secret: string,
  now: Date,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** `{machine}`, `{mac}` and `{address}`: what a machine does not have stays empty. */
export function fillUrl(url: string, { id, macs, address = '' }: Machine): string {
  const facts: Readonly<Record<string, string>> = { machine: id, mac: macs[0] ?? '', address };
  return url.replace(/\{(machine|mac|address)\}/g, (_, name: string) =>
    encodeURIComponent(facts[name] ?? ''),
  );
}

/** What fetch says is in the cause; of an answer that is late it says little. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it did not answer in time';
  const { cause } = error;
  return cause instanceof Error
    ? cause.message || (cause as NodeJS.ErrnoException).code || error.message
    : error.message;
}

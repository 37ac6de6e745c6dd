import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HealthCheck, type Machine, problem } from '@bootswarm/controller/contract';
import { runProgram } from '../power/run-program.ts';
import { fillUrl, reasonOf } from './hooks.ts';
import type { ErrandEnd } from './planner/index.ts';

/** For one try. */
const TRY_MS = 30_000;

/** Tries a health check until it passes, or its deadline has passed. */
export async function awaitHealth(
  check: HealthCheck,
  machine: Machine,
  { deadline, folder }: { readonly deadline: Date; readonly folder: string | undefined },
  signal: AbortSignal,
): Promise<ErrandEnd> {
  let detail = 'it was not tried in time';
  for (;;) {
    signal.throwIfAborted();
    const leftMs = deadline.getTime() - Date.now();
    if (leftMs <= 0) return { ok: false, detail };
    const end = await tryOnce(check, machine, folder, Math.min(leftMs, TRY_MS), signal);
    if (end.ok) return end;
    detail = end.detail;
    const pauseMs = Math.min(check.everySeconds * 1000, Math.max(0, deadline.getTime() - Date.now()));
    await sleep(pauseMs, undefined, { signal });
  }
}

async function tryOnce(
  check: HealthCheck,
  machine: Machine,
  folder: string | undefined,
  withinMs: number,
  signal: AbortSignal,
): Promise<ErrandEnd> {
  try {
    return check.kind === 'url'
      ? await askUrl(fillUrl(check.url, machine), withinMs, signal)
      : await run(check, machine, folder, withinMs, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, detail: reasonOf(error) };
  }
}

async function askUrl(url: string, withinMs: number, signal: AbortSignal): Promise<ErrandEnd> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: within });
    await answer.body?.cancel();
    return answer.ok ? { ok: true } : { ok: false, detail: `${url} answered ${answer.status}` };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, detail: `${url}: ${reasonOf(error)}` };
  }
}

/** Its arguments as they stand, no shell between; the machine is told as JSON on standard input. */
async function run(
  { command, args }: Extract<HealthCheck, { kind: 'command' }>,
  { id, macs, uuid, address, segment }: Machine,
  folder: string | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ErrandEnd> {
  const program = await commandPath(folder, command);
  const input = JSON.stringify({ machine: id, macs, uuid, address, segment });
  const { code, stderr } = await runProgram({ program, arguments: args, env: {}, input, timeoutMs, signal });
  if (code === 0) return { ok: true };
  const said = stderr
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 200);
  const how = code === null ? 'was ended after its time' : `ended with ${code}`;
  return { ok: false, detail: `${command} ${how}${said === '' ? '' : `: ${said}`}` };
}

/** A link may lead anywhere, and is not followed. @throws Problem rollout_command_unknown */
export async function commandPath(folder: string | undefined, command: string): Promise<string> {
  const unknown = (reason: string): Error =>
    problem('rollout_command_unknown', { field: 'gates.health.command', facts: { command, reason } });
  if (folder === undefined) throw unknown('the controller was started without a folder of such programs');
  const path = join(folder, command);
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isFile()) throw unknown(`there is no such file in ${folder}`);
  await access(path, constants.X_OK).catch(() => {
    throw unknown('it is not executable');
  });
  return path;
}

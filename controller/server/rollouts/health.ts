import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HealthCheck, type Machine, problem } from '@bootswarm/controller/contract';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import { AddressRefused, type SendTerms, send } from '../outgoing/send.ts';
import { runProgram } from '../power/run-program.ts';
import type { ErrandEnd } from './planner/index.ts';
import { fillUrl } from './urls.ts';

/** For one try. */
const TRY_MS = 30_000;

interface HealthTerms {
  readonly deadline: Date;
  /** Of programs. */
  readonly folder: string | undefined;
  readonly isAllowed: NetworkRule;
}

/**
 * Tries a health check until it passes, or its deadline has passed.
 * @throws AddressRefused, and does not try again, where nothing may be sent to its address.
 */
export async function awaitHealth(
  check: HealthCheck,
  machine: Machine,
  terms: HealthTerms,
  signal: AbortSignal,
): Promise<ErrandEnd> {
  const { deadline } = terms;
  let detail = 'it was not tried in time';
  for (;;) {
    signal.throwIfAborted();
    const leftMs = deadline.getTime() - Date.now();
    if (leftMs <= 0) return { ok: false, detail };
    const end = await tryOnce(check, machine, terms, Math.min(leftMs, TRY_MS), signal);
    if (end.ok) return end;
    detail = end.detail;
    const pauseMs = Math.min(check.everySeconds * 1000, Math.max(0, deadline.getTime() - Date.now()));
    await sleep(pauseMs, undefined, { signal });
  }
}

async function tryOnce(
  check: HealthCheck,
  machine: Machine,
  { folder, isAllowed }: HealthTerms,
  withinMs: number,
  signal: AbortSignal,
): Promise<ErrandEnd> {
  try {
    return check.kind === 'url'
      ? await askUrl(fillUrl(check.url, machine), { isAllowed, withinMs, signal })
      : await run(check, machine, folder, withinMs, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AddressRefused) throw error;
    return { ok: false, detail: (error as Error).message };
  }
}

async function askUrl(url: string, terms: SendTerms): Promise<ErrandEnd> {
  try {
    const status = await send(new URL(url), { method: 'GET' }, terms);
    return status >= 200 && status < 300 ? { ok: true } : { ok: false, detail: `${url} answered ${status}` };
  } catch (error) {
    terms.signal.throwIfAborted();
    const detail = `${url}: ${(error as Error).message}`;
    if (error instanceof AddressRefused) throw new AddressRefused(detail, { cause: error });
    return { ok: false, detail };
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

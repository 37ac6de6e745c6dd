import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SwarmTerms } from '@bootswarm/controller/contract';
import { Artefact } from '@bootswarm/images/format';
import { z } from 'zod';
import { MachineSwarm } from './machine-swarm.ts';
import { BESIDE_LIVE } from './spare.ts';

/** The first argument of the program that goes on giving; the second is the file of its duty. */
export const GIVE_ON = 'give-on';
const READY_MS = 60_000;
const READY = 'ready';

/** What is given, and where it is. */
const GivingDuty = z.strictObject({
  artefact: Artefact,
  path: z.string(),
  terms: SwarmTerms,
  edgeUrl: z.string(),
});
export type GivingDuty = z.infer<typeof GivingDuty>;

/**
 * Starts a process of its own that gives an artefact and outlives this one, and the root that it was started from: it has
 * all that it needs open. Resolves when it gives.
 * @param file for what it is told. @throws Error where it does not get that far.
 */
export async function startGiving(duty: GivingDuty, file: string): Promise<void> {
  await writeFile(file, JSON.stringify(duty));
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', GIVE_ON, file], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said = once(child.stdout, 'data').then(([text]) => String(text));
  const ended = once(child, 'exit').then(([code]) => `it ended with code ${code}`);
  const late = sleep(READY_MS, 'it took too long', { ref: false });
  const first = await Promise.race([said, ended, late]);
  if (!first.startsWith(READY)) {
    child.kill('SIGKILL');
    throw new Error(first);
  }
  child.stdout.destroy();
  child.unref();
}

/** The program: gives until nobody has fetched for a while. @param file that of `startGiving`. */
export async function giveOn(file: string): Promise<void> {
  const { artefact, path, terms, edgeUrl } = GivingDuty.parse(JSON.parse(await readFile(file, 'utf8')));
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  // Who started it is gone.
  process.stdout.on('error', () => {});
  const { signal } = stop;
  await using swarm = await MachineSwarm.open({ terms, edgeUrl, say: () => {}, signal });
  await swarm.give(artefact, path);
  process.stdout.write(`${READY}\n`);
  await swarm.untilSpared(BESIDE_LIVE, signal, () => {});
}

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

const TICKS_PER_SECOND = 100;

/** CPU seconds that processes have used so far, user and system. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid) / TICKS_PER_SECOND, 0);
}

/** Fields 14 and 15 of proc_pid_stat(5); the name in field 2 may hold blanks. */
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Children of a process, such as nginx's workers, and itself. */
export function processTree(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(processTree)];
}

/** In parts of all cores. */
export interface Spare {
  /** CPU that nobody used: near 0 the machine itself was the limit, generator and server together. */
  readonly idle: number;
  /** CPU that this machine's own host gave to others while it was wanted here. */
  readonly stolen: number;
}

/** What of the CPU was to spare while something was measured. */
export async function whileIdle<T>(run: () => Promise<T>): Promise<{ readonly result: T } & Spare> {
  const before = spareSeconds();
  const startedAt = performance.now();
  const result = await run();
  const after = spareSeconds();
  const cpuSeconds = ((performance.now() - startedAt) / 1000) * cpus().length;
  return {
    result,
    idle: (after.idle - before.idle) / cpuSeconds,
    stolen: (after.stolen - before.stolen) / cpuSeconds,
  };
}

/** Fields 4 and 8 of the first line of proc_stat(5). */
function spareSeconds(): Spare {
  const [, , , , idle, , , , stolen] = readFileSync('/proc/stat', 'utf8').split(/\s+/).map(Number);
  return { idle: (idle ?? 0) / TICKS_PER_SECOND, stolen: (stolen ?? 0) / TICKS_PER_SECOND };
}

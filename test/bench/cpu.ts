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

/**
 * CPU that nobody used, in parts of all cores, while something was measured. Near 0 the machine itself was the
 * limit, generator and server together.
 */
export async function whileIdle<T>(run: () => Promise<T>): Promise<{ result: T; idle: number }> {
  const before = idleSeconds();
  const startedAt = performance.now();
  const result = await run();
  const seconds = (performance.now() - startedAt) / 1000;
  return { result, idle: (idleSeconds() - before) / (seconds * cpus().length) };
}

function idleSeconds(): number {
  return cpus().reduce((sum, cpu) => sum + cpu.times.idle, 0) / 1000;
}

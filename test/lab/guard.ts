import { removeRemains } from './remains.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const guarded = new Set<string>();

/** From now on the lab is removed when this process ends by exit, uncaught error or signal. */
export function guard(prefix: string): void {
  if (guarded.size === 0) {
    process.on('exit', removeGuarded);
    for (const signal of SIGNALS) process.on(signal, endBySignal);
  }
  guarded.add(prefix);
}

export function unguard(prefix: string): void {
  guarded.delete(prefix);
  if (guarded.size === 0) standDown();
}

function removeGuarded(): void {
  for (const prefix of guarded) removeRemains(prefix);
  guarded.clear();
}

function endBySignal(signal: NodeJS.Signals): void {
  removeGuarded();
  standDown();
  // Ours was perhaps the only reason why the signal did not end the process; others decide for themselves.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function standDown(): void {
  process.off('exit', removeGuarded);
  for (const signal of SIGNALS) process.off(signal, endBySignal);
}

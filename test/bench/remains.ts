import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();
const children = new Set<ChildProcess>();

/** A new folder that goes with the benchmark, also where a signal ends it. What is in a lab goes with the lab. */
export function benchFolder(name: string): string {
  listen();
  const folder = mkdtempSync(join(tmpdir(), `bootswarm-bench-${name}-`));
  folders.add(folder);
  return folder;
}

/** This process ends with the benchmark at the latest. */
export function endWithBench<Child extends ChildProcess>(child: Child): Child {
  listen();
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function listen(): void {
  if (process.listeners('exit').includes(removeAll)) return;
  process.on('exit', removeAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

function removeAll(): void {
  for (const child of children) child.kill('SIGKILL');
  // What they still write in this moment is gone at the second try.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

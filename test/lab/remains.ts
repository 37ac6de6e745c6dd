import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything a lab leaves on the machine starts with its prefix, which says who owns it. */
const PREFIX = /^bswlab-(\d+)-(\d+)-\d+-[a-z0-9]*(?=-|$)/;
const NAMESPACES = '/run/netns';

let labsOfThisProcess = 0;

/** A prefix such as `bswlab-4711-90210-1-pxe`: the owner's pid, when it started, the lab's number and name. */
export function nextPrefix(labName: string): string {
  labsOfThisProcess += 1;
  const name = labName.toLowerCase().replace(/[^a-z0-9]/g, '');
  return `bswlab-${process.pid}-${startOf(process.pid)}-${labsOfThisProcess}-${name}`;
}

export function folderOf(prefix: string): string {
  return join(tmpdir(), prefix);
}

/** The prefixes of labs whose owner has ended. */
export function deadPrefixes(): string[] {
  const names = [...list(NAMESPACES), ...list(tmpdir())];
  const prefixes = names.flatMap((name) => PREFIX.exec(name)?.[0] ?? []);
  return [...new Set(prefixes)].filter((prefix) => !ownerLives(prefix));
}

/**
 * Ends the processes inside a lab's namespaces, then deletes namespaces and folder; links go with the
 * namespaces they are in. Synchronous, because exit handlers cannot wait and one way of removal is enough.
 */
export function removeRemains(prefix: string): void {
  const namespaces = list(NAMESPACES).filter((name) => name.startsWith(`${prefix}-`));
  endProcesses(namespaces);
  for (const namespace of namespaces) spawnSync('ip', ['netns', 'del', namespace]);
  rmSync(folderOf(prefix), { recursive: true, force: true });
}

function endProcesses(namespaces: readonly string[]): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < 200; attempt++) {
    const pids = namespaces.flatMap(processesIn);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    Atomics.wait(pause, 0, 0, 10);
  }
}

function processesIn(namespace: string): number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the listing and now.
  }
}

function ownerLives(prefix: string): boolean {
  const [, pid, start] = PREFIX.exec(prefix) ?? [];
  return startOf(Number(pid)) === start;
}

/** Clock ticks from boot to the process's start: with them a pid that is used again is told from its first owner. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command's name, may itself hold spaces and parentheses.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; in a container without an init it stays one.
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Programs } from './run-program.ts';

const BUSY_TRIES = 10;
const BUSY_PAUSE_MS = 500;

/**
 * Takes down what an agent that ended at once has left mounted, and ends the programs that it left there.
 * @param folders all below them.
 */
export async function clearMounts(
  folders: readonly string[],
  programs: Programs,
  signal: AbortSignal,
): Promise<void> {
  const isBelow = (path: string): boolean =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  for (const pid of processes((at) => wordsOf(at).some(isBelow) || isBelow(readlinkSync(`${at}/root`))))
    kill(pid);
  for (const folder of mountedFolders(readFileSync('/proc/mounts', 'utf8')).filter(isBelow).toReversed())
    await programs.run(['umount', folder], { what: `unmount ${folder}`, signal });
}

/** In the order in which they were mounted. @param mounts as in /proc/mounts: proc(5). */
export function mountedFolders(mounts: string): readonly string[] {
  const places = mounts.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
  // Blanks and their like stand there as three octal digits.
  return places.map((place) =>
    place.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
  );
}

interface MountOptions {
  readonly type?: string;
  readonly options?: string;
}

/** What the installation has mounted, to be taken down again from the last to the first. */
export class Mounts {
  readonly #programs: Programs;
  readonly #folders: string[] = [];

  constructor(programs: Programs) {
    this.#programs = programs;
  }

  async mount(
    source: string,
    folder: string,
    { type, options }: MountOptions,
    signal: AbortSignal,
  ): Promise<void> {
    await mkdir(folder, { recursive: true });
    const argv = [
      ...(type === undefined ? [] : ['-t', type]),
      ...(options === undefined ? [] : ['-o', options]),
    ];
    await this.#programs.run(['mount', ...argv, source, folder], { what: `mount ${source}`, signal });
    this.#folders.push(folder);
  }

  /** Takes down what was mounted last, and so on until that of `folder`, or all. @throws Problem of the first that stays. */
  async unmount(signal: AbortSignal, folder?: string): Promise<void> {
    for (let last = this.#folders.at(-1); last !== undefined; last = this.#folders.at(-1)) {
      await this.#unmountOne(last, signal);
      this.#folders.pop();
      if (last === folder) return;
    }
  }

  /** Takes a mount out of sight at once; it ends when the last file of it is closed. */
  async detach(folder: string, signal: AbortSignal): Promise<void> {
    await this.#programs.run(['umount', '-l', folder], { what: `unmount ${folder}`, signal });
    this.#folders.splice(this.#folders.lastIndexOf(folder), 1);
  }

  async #unmountOne(folder: string, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#programs.run(['umount', folder], { what: `unmount ${folder}`, signal });
        return;
      } catch (error) {
        if (tries === BUSY_TRIES) throw error;
        // A program of the new system that a hook or its initramfs started, and that did not end by itself.
        for (const pid of processes((at) => readlinkSync(`${at}/root`) === folder)) kill(pid);
        await sleep(BUSY_PAUSE_MS, undefined, { signal });
      }
    }
  }
}

/** @param isMeant of its folder in /proc; what it throws is a process that has ended. */
function processes(isMeant: (at: string) => boolean): readonly number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return pid !== process.pid && isMeant(`/proc/${pid}`);
    } catch {
      return false;
    }
  });
}

function wordsOf(at: string): readonly string[] {
  return readFileSync(`${at}/cmdline`, 'utf8').split('\0');
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Artefact } from '@bootswarm/images/format';
import type { Mounts } from './mounts.ts';
import { problem } from './problems.ts';
import { ProgramError, type Programs, runProgram } from './run-program.ts';
import { type InstalledKernel, kernelRelease, kernelsIn, moduleReleases } from './system/kernels.ts';
import type { Lack } from './system/needs.ts';
import type { SystemRoot } from './system-root.ts';

/** Environment of programs that run in the new system: nothing of the agent's. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
} as const;

/** Runs programs in the new system. */
export class NewSystem {
  readonly root: SystemRoot;
  readonly #programs: Programs;
  readonly #say: (line: string) => void;
  readonly #signal: AbortSignal;

  constructor(root: SystemRoot, programs: Programs, say: (line: string) => void, signal: AbortSignal) {
    this.root = root;
    this.#programs = programs;
    this.#say = say;
    this.#signal = signal;
  }

  /**
   * Mounts what programs expect to find. Without efivarfs: firmware is told by the agent alone, and last.
   */
  async open(mounts: Mounts): Promise<void> {
    const { folder } = this.root;
    const mount = (
      source: string,
      place: string,
      options: { type?: string; options?: string },
    ): Promise<void> => mounts.mount(source, `${folder}/${place}`, options, this.#signal);
    await mount('proc', 'proc', { type: 'proc' });
    await mount('/sys', 'sys', { options: 'bind' });
    await mount('/dev', 'dev', { options: 'bind' });
    await mount('devpts', 'dev/pts', { type: 'devpts', options: 'gid=5,mode=0620' });
    await mount('tmpfs', 'run', { type: 'tmpfs', options: 'mode=0755' });
    await mount('tmpfs', 'tmp', { type: 'tmpfs', options: 'mode=1777' });
  }

  /** @throws Problem program_failed */
  async run(what: string, argv: readonly [string, ...string[]]): Promise<string> {
    const { stdout } = await this.#programs.run(['chroot', this.root.folder, ...argv], {
      what,
      env: ENVIRONMENT,
      signal: this.#signal,
      say: this.#say,
    });
    return stdout;
  }

  /** Runs the hooks of a profile. @throws Problem hook_failed */
  async hooks(scripts: readonly string[]): Promise<void> {
    await runHooks(scripts, 'after', this.root.folder, this.#say, this.#signal);
  }

  /**
   * The kernels that it can boot. An image whose kernel came beside it, as live media do, gets that.
   * @param fetchKernel writes the release's kernel to a file.
   * @throws Problem kernel_missing
   */
  async kernels(
    kernel: Artefact | undefined,
    fetchKernel: (artefact: Artefact) => Promise<string>,
  ): Promise<readonly InstalledKernel[]> {
    const found = kernelsIn(this.root);
    if (found.length > 0) return found;
    const file = kernel && (await fetchKernel(kernel));
    const release = file === undefined ? undefined : kernelRelease(await readFile(file));
    if (file === undefined || release === undefined || !moduleReleases(this.root).includes(release))
      throw problem('kernel_missing', { facts: { release: release ?? 'unknown' } });
    await mkdir(this.root.at('/boot'), { recursive: true });
    await copyFile(file, this.root.at(`/boot/vmlinuz-${release}`));
    return kernelsIn(this.root);
  }
}

/** Pure. @throws Problem image_lacks */
export function requireNoLack(lack: Lack | undefined): void {
  if (lack) throw problem('image_lacks', { facts: { lacks: lack.lacks, purpose: lack.purpose } });
}

/**
 * Runs hooks one after the other, each until it has ended well: before the installation in the mini image, after it in the
 * new system, whose /tmp is in memory by then.
 * @param folder of the new system; undefined for the mini image.
 * @throws Problem hook_failed
 */
export async function runHooks(
  scripts: readonly string[],
  when: 'before' | 'after',
  folder: string | undefined,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, script] of scripts.entries()) {
    const place = await mkdtemp(join(folder ?? '/', 'tmp', 'bootswarm-hook-'));
    await writeFile(join(place, 'hook'), script, { mode: 0o700 });
    // Without a word on who reads it, that is sh, which ends at the first command that fails.
    const command = script.startsWith('#!') ? [] : ['/bin/sh', '-eu'];
    const [program = '', ...args] = [
      ...(folder === undefined ? [] : ['chroot', folder]),
      ...command,
      `/tmp/${basename(place)}/hook`,
    ];
    try {
      await runProgram([program, ...args], {
        signal,
        say,
        ...(folder === undefined ? {} : { env: ENVIRONMENT }),
      });
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const lines = error.lines.join(' | ') || 'none';
      throw problem('hook_failed', {
        facts: { number: index + 1, when, how: error.how, lines },
        cause: error,
      });
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }
}

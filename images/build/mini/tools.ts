import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { constants, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Architecture } from '@bootswarm/images/format';
import { debianSources, proxyEnvironment, readSourceFiles } from '../apt-sources.ts';
import type { BuildCache } from '../cache.ts';
import { buildFailure } from '../failure.ts';
import { problem } from '../problems.ts';
import { runTool } from '../tool.ts';
import type { MiniOptions, MiniProgress } from './build-mini.ts';

const COMPONENTS = ['main'];
/** The kernel wants its archives to begin at multiples of 4 bytes (initramfs/buffer-format.rst). */
const ALIGNMENT = 4;
/**
 * The kernel's own decoder (lib/xz) knows CRC32 and no larger check. The dictionary holds each archive whole; while it
 * unpacks, the kernel takes as much memory for it.
 */
const XZ = ['--threads=1', '--check=crc32'];
const XZ_LZMA2 = '--lzma2=preset=9e,dict=128MiB';

export interface MiniToolsOptions {
  readonly suite: MiniOptions['suite'];
  readonly architecture: Architecture;
  readonly mirror?: string;
  /** Scratch. */
  readonly folder: string;
  readonly cache?: BuildCache | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MiniProgress) => void;
}

/** One archive of an initramfs. */
export interface Archive {
  readonly name: string;
  /** Whether xz turns relative addresses of x86 code into absolute ones first. */
  readonly filter: boolean;
  readonly write: (file: string) => Promise<void>;
}

/** The programs of the host that a mini image is made with. */
export class MiniTools {
  readonly #options: MiniToolsOptions;

  constructor(options: MiniToolsOptions) {
    this.#options = options;
  }

  /**
   * Packages and all that they depend on, unpacked side by side into a folder. Nothing of them runs.
   * @throws Problem package_missing, mirror_failed, disk_full, tool_missing
   */
  async unpack(packages: readonly string[]): Promise<string> {
    const { folder, suite, architecture, onProgress } = this.#options;
    const root = join(folder, 'root');
    onProgress({ stage: 'packages', message: 'downloading and unpacking packages' });
    await this.#run('mmdebstrap', 'mmdebstrap', [
      // `extract` unpacks alone; `chrootless` then has no use for a root of its own, nor for mounts in it.
      ...['--variant=extract', '--mode=chrootless', '--format=directory'],
      ...[`--architectures=${architecture}`, `--components=${COMPONENTS.join(',')}`],
      ...['--aptopt=APT::Install-Recommends false', `--include=${[...new Set(packages)].join(',')}`],
      ...[suite, root],
      ...(await this.#source()),
    ]);
    return root;
  }

  /** A copy of a program without symbols. */
  async strip(program: string): Promise<string> {
    const out = join(this.#options.folder, 'stripped');
    await this.#run('strip', 'binutils', ['-o', out, program]);
    return out;
  }

  /** Archives under xz, one after the other in one file. What an earlier build compressed is taken as it is. */
  async compress(file: string, archives: readonly Archive[]): Promise<void> {
    this.#options.onProgress({ stage: 'compress', message: 'compressing: up to four minutes' });
    const made = await Promise.all(archives.map((archive) => this.#compressed(archive)));
    for (const path of made) {
      const bytes = await readFile(path);
      const padding = Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT);
      await writeFile(file, Buffer.concat([bytes, padding]), { flag: 'a' });
      await rm(path);
    }
  }

  async #compressed({ name, filter, write }: Archive): Promise<string> {
    const { folder, cache } = this.#options;
    const path = join(folder, `${name}.cpio`);
    await write(path);
    const options = [...XZ, ...(filter ? ['--x86'] : []), XZ_LZMA2];
    const key = await keyOf(path, options);
    const out = `${path}.xz`;
    await using kept = await cache?.use('mini', key);
    if (kept !== undefined) {
      await copyFile(kept.data, out);
      return out;
    }
    await this.#run('xz', 'xz-utils', [...options, path], name);
    await cache?.store('mini', key, `${name} of a mini image`, (data) => copyFile(out, data));
    return out;
  }

  /** As mmdebstrap takes it; nothing where Debian's default is to serve. */
  async #source(): Promise<readonly string[]> {
    const { mirror, suite, folder } = this.#options;
    if (mirror !== undefined) {
      const url = URL.parse(mirror);
      if (url === null || !/^https?:$/.test(url.protocol))
        throw problem('mirror_invalid', { field: 'mirror', facts: { mirror } });
      return [url.href];
    }
    const text = debianSources(await readSourceFiles('/etc/apt'), suite, COMPONENTS);
    if (text === undefined) return [];
    const path = join(folder, 'debian.sources');
    await writeFile(path, text);
    return [path];
  }

  async #run(command: string, debianPackage: string, args: readonly string[], name = command): Promise<void> {
    const { folder, signal, suite, architecture } = this.#options;
    const logFile = join(folder, `${name}.log`);
    const log = createWriteStream(logFile);
    const outcome = await runTool({
      command,
      package: debianPackage,
      arguments: args,
      environment: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C.UTF-8',
        TMPDIR: folder,
        ...(await hostProxies()),
      },
      signal,
      log,
      onLine: () => {},
    }).finally(() => finished(log.end()));
    if (outcome.ok) return;
    const kept = join(tmpdir(), `bootswarm-mini-${randomUUID()}.log`);
    const failure = buildFailure({
      tool: command,
      output: await readFile(logFile, 'utf8'),
      recipe: { suite, architecture, kernel: '' },
      folder: dirname(folder),
      log: kept,
    });
    if (failure.remedy.includes(kept)) await copyFile(logFile, kept, constants.COPYFILE_EXCL);
    throw failure;
  }
}

async function keyOf(path: string, options: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(options));
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex').slice(0, 32);
}

async function hostProxies(): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)('apt-config', ['dump', 'Acquire']).catch(() => ({
    stdout: '',
  }));
  return proxyEnvironment(stdout);
}

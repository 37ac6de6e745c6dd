import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../boot/index.ts';
import type { Bench, Measurement } from './bench.ts';
import { benchFolder, endWithBench } from './remains.ts';

const run = promisify(execFile);
const MOST_MS = 20 * 60_000;

/** Few, so that a round is short; what every live image needs is ours to add, and in the peer's list as well. */
const PACKAGES = ['dbus', 'iproute2', 'iputils-ping'];
const NEEDED = ['linux-image-cloud-amd64', 'systemd-sysv', 'live-boot', 'zstd'];
const SUITE = 'bookworm';

/** @param edit the one line that differs between two builds. */
function recipe(edit: string): string {
  return `name: bench
version: "1"
suite: ${SUITE}
kernel: linux-image-cloud-amd64
packages: [${PACKAGES.join(', ')}]
users: [{ name: ops }]
files:
  - { path: /etc/issue, content: "${edit}\\n" }
`;
}

/**
 * A recipe to a build folder by the command, from nothing and after an edit of one line, against mmdebstrap
 * and mksquashfs by hand: same packages from the same sources, same compression. Ours hashes and lists
 * what is in the root as well.
 */
export const imageBuildBench: Bench = {
  name: 'image-build',
  summary: 'a recipe into a build folder, cold and after an edit, against mmdebstrap with mksquashfs',
  better: { seconds: 'less' },
  async prepare(say) {
    const folder = benchFolder('build');
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      const site = new Workshop(folder);
      say('filling the cache');
      await site.build('cached');
      let peer: Measurement = {};
      const cases = [
        {
          name: 'cold',
          subjects: {
            ours: () => site.build('none'),
            mmdebstrap: async () => {
              peer = await site.peer();
              return peer;
            },
          },
        },
        // The peer knows no edit: it takes what it took just before.
        {
          name: 'warm',
          subjects: { ours: () => site.build('cached'), mmdebstrap: async () => peer },
        },
      ];
      return { cases, [Symbol.asyncDispose]: remove };
    } catch (error) {
      await remove();
      throw error;
    }
  },
};

class Workshop {
  readonly #folder: string;
  #edits = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async build(cache: 'none' | 'cached'): Promise<Measurement> {
    this.#edits += 1;
    const file = this.#path('bench.yaml');
    await writeFile(file, recipe(`edit ${this.#edits}`));
    const flags = cache === 'none' ? ['--no-cache'] : [];
    const argv = ['image', 'build', file, '--out', this.#path('ours'), '--replace', ...flags];
    const env = { ...process.env, XDG_CACHE_HOME: this.#path('cache') };
    return timed(program('controller/cli/main.ts', '--json', ...argv), env);
  }

  async peer(): Promise<Measurement> {
    const root = this.#path('root');
    await mkdir(this.#path('peer'));
    const blockBytes = await this.#blockBytes();
    const list = [...NEEDED, ...PACKAGES].join(',');
    const left = 'dev/* proc/* run/* sys/* tmp/* boot/* var/lib/apt/lists/* var/cache/apt/*'.split(' ');
    const mmdebstrap = ['mmdebstrap', '--quiet', '--variant=minbase', '--format=directory'];
    const measured = await timed(
      [
        'sh',
        '-euc',
        '"$@" && cp "$ROOT"/boot/vmlinuz-* "$ROOT"/boot/initrd.img-* "$OUT" && mksquashfs "$ROOT" "$OUT/root.squashfs" -quiet -no-progress -comp zstd -b "$BLOCK" -wildcards -e $LEFT',
        'sh',
        ...mmdebstrap,
        `--include=${list}`,
        SUITE,
        root,
      ],
      {
        ...process.env,
        ROOT: root,
        OUT: this.#path('peer'),
        BLOCK: String(blockBytes),
        LEFT: left.join(' '),
      },
    );
    await rm(root, { recursive: true });
    await rm(this.#path('peer'), { recursive: true });
    return measured;
  }

  /** Of our own squashfs, so that both compress alike. */
  async #blockBytes(): Promise<number> {
    const { stdout } = await run('unsquashfs', ['-stat', join(this.#path('ours'), 'root.squashfs')]);
    return Number(/^Block size (\d+)$/m.exec(stdout)?.[1]);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

async function timed([file = '', ...rest]: readonly string[], env: NodeJS.ProcessEnv): Promise<Measurement> {
  const startedAt = performance.now();
  const running = run(file, rest, { env, maxBuffer: 64 * 1024 * 1024, timeout: MOST_MS });
  endWithBench(running.child);
  await running;
  return { seconds: (performance.now() - startedAt) / 1000 };
}

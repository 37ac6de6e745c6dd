import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { digestOf, type Manifest } from '@bootswarm/images/format';
import { Site } from '../boot/index.ts';
import { Lab } from '../lab/index.ts';
import type { Bench, Case, Measurement } from './bench.ts';
import { cpuSeconds, processTree } from './cpu.ts';

const MB = 1_000_000;
const FILES = { kernel: 10 * MB, initramfs: 40 * MB, root: 2000 * MB } as const;
const ROLES = Object.keys(FILES) as (keyof typeof FILES)[];
const ALL_BYTES = Object.values(FILES).reduce((sum, bytes) => sum + bytes);
const BLOCK_BYTES = MB;
const MOST_MS = 300_000;

/**
 * A release into a controller by the command line over HTTP, against what an operator would do without: copy the file
 * and check it. Every round publishes other bytes, since what the controller holds already is not sent.
 */
export const publishBench: Bench = {
  name: 'publish',
  summary: 'a release of 2 GB into a controller over HTTP, against cp with sha256sum (and with openssl)',
  better: { mb_per_s: 'more' },
  async prepare(say) {
    const lab = await Lab.create('bench-publish');
    try {
      const site = await Site.start(lab);
      say('laying out 2 GB');
      const build = join(lab.folder, 'build');
      mkdirSync(build);
      for (const role of ROLES) layFile(join(build, role), FILES[role]);
      let version = 0;
      const cases: readonly Case[] = [
        {
          name: 'release',
          subjects: {
            ours: async () => {
              version += 1;
              await freshen(build, version);
              return publish(site, build);
            },
            cp_sha256sum: () => copy(lab, build, 'sha256sum'),
            cp_openssl: () => copy(lab, build, 'openssl dgst -sha256'),
          },
        },
      ];
      return { cases, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

function layFile(path: string, bytes: number): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += BLOCK_BYTES) writeSync(file, randomFillSync(block));
  closeSync(file);
}

/** Changes the first bytes of every file, and writes the manifest of what that makes. */
async function freshen(build: string, version: number): Promise<void> {
  const artefacts: Manifest['artefacts'] = [];
  for (const role of ROLES) {
    const path = join(build, role);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.from(`release ${version}`), 0, undefined, 0);
    closeSync(file);
    const { pieces, ...digest } = await digestOf(createReadStream(path, { highWaterMark: BLOCK_BYTES }));
    artefacts.push({ role, name: role, ...digest, pieces: [...pieces] });
  }
  const manifest: Manifest = {
    format: 1,
    name: 'bench',
    version: String(version),
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: [],
    artefacts,
  };
  writeFileSync(join(build, 'manifest.json'), JSON.stringify(manifest));
}

async function publish(site: Site, build: string): Promise<Measurement> {
  const pids = processTree(site.controller.pid);
  const cpuBefore = cpuSeconds(pids);
  for (const pid of pids) forgetPeak(pid);
  const startedAt = performance.now();
  await site.publish(build);
  const seconds = (performance.now() - startedAt) / 1000;
  // As the peers' copies are: a machine to which every page of a file is new takes several times as long to write it.
  rmSync(join(site.lab.folder, 'controller/artefacts/whole'), { recursive: true });
  mkdirSync(join(site.lab.folder, 'controller/artefacts/whole'));
  return {
    mb_per_s: ALL_BYTES / MB / seconds,
    peak_mb: Math.max(...pids.map(peakBytes)) / MB,
    controller_cpu_s: cpuSeconds(pids) - cpuBefore,
  };
}

/** By the tools that an operator has: into the page cache, as cp leaves it. */
async function copy(lab: Lab, build: string, check: string): Promise<Measurement> {
  const to = join(lab.folder, 'copy');
  mkdirSync(to);
  const startedAt = performance.now();
  const script = `cp ${ROLES.map((role) => join(build, role)).join(' ')} ${to} && ${check} ${to}/*`;
  const { code, stderr } = await lab.core.run(['sh', '-c', script], { timeoutMs: MOST_MS });
  const seconds = (performance.now() - startedAt) / 1000;
  rmSync(to, { recursive: true });
  if (code !== 0) throw new Error(`${check}: ${stderr}`);
  return { mb_per_s: ALL_BYTES / MB / seconds };
}

/** Lets the peak of a process begin at what it has now (proc_pid_clear_refs(5)). */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Most memory that a process had at once (proc_pid_status(5), VmHWM). */
function peakBytes(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

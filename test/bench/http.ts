import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Release } from '@bootswarm/controller/contract';
import { artefactOf } from '@bootswarm/images/format';
import { Site, writeBuildFolder } from '../boot/index.ts';
import { Lab, type Process } from '../lab/index.ts';
import type { Bench, Case, Measurement } from './bench.ts';
import { cpuSeconds, processTree, whileIdle } from './cpu.ts';

const MIB = 1024 * 1024;
const CLIENTS = 16;
const FILES = { kernel: MIB, initramfs: 50 * MIB, root: 1024 * MIB } as const;
/** Times that each client fetches: a boot file alone would be over before it could be measured. */
const FETCHES = { 'boot-file': 12, artefact: 1 } as const;
/** None of the edge's: 8480 and, for peers, 8481. */
const NGINX_PORT = 8580;

/** The edge's HTTP against nginx with sendfile, from the page cache to curl on loopback. */
export const httpBench: Bench = {
  name: 'http',
  summary: `${CLIENTS} curl clients: a boot file of 50 MiB and an artefact of 1 GiB, against nginx with sendfile`,
  better: { gb_per_s: 'more', cpu_s_per_gib: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-http');
    try {
      say('laying out the files, a controller, an edge and nginx');
      const folder = join(lab.folder, 'build');
      await writeBuildFolder(folder, {
        kernel: randomBytes(FILES.kernel),
        initramfs: randomBytes(FILES.initramfs),
        root: randomBytes(FILES.root),
      });
      const { edge, release } = await startEdge(lab, folder);
      const nginx = await startNginx(lab, folder, artefactOf(release.manifest, 'kernel').name);
      const cases = (['boot-file', 'artefact'] as const).map((name): Case => {
        const { sha256, name: file } = artefactOf(
          release.manifest,
          name === 'boot-file' ? 'initramfs' : 'root',
        );
        const ours = `http://${lab.core.address}:8480/artefacts/${sha256}/${file}`;
        const theirs = `http://${lab.core.address}:${NGINX_PORT}/${file}`;
        return {
          name,
          subjects: {
            ours: () => measure(lab, edge, ours, FETCHES[name]),
            nginx: () => measure(lab, nginx, theirs, FETCHES[name]),
          },
        };
      });
      return { cases, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function startEdge(lab: Lab, folder: string): Promise<{ edge: Process; release: Release }> {
  const site = await Site.start(lab);
  const edge = await site.addEdge('edge1', lab.core.bridge);
  const segment = await lab.addSegment({ relay: 'none' });
  await site.addSegment(segment, 'edge1');
  const id = await site.publish(folder);
  await site.bootswarm('machine', 'boot', '52:54:00:00:00:01', 'live', id);
  await site.releaseReady(id);
  return { edge, release: (await site.bootswarm('image', 'show', id)) as Release };
}

async function startNginx(lab: Lab, folder: string, file: string): Promise<Process> {
  const config = join(lab.folder, 'nginx.conf');
  writeFileSync(
    config,
    `user root; daemon off; worker_processes auto; pid ${lab.folder}/nginx.pid; error_log stderr;
     events { worker_connections 1024; }
     http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
            server { listen ${NGINX_PORT}; root ${folder}; } }`,
  );
  const nginx = await lab.core.start(['nginx', '-c', config, '-e', 'stderr'], { name: 'nginx' });
  const url = `http://${lab.core.address}:${NGINX_PORT}/${file}`;
  const patience = ['--retry', '20', '--retry-connrefused', '--retry-delay', '1'];
  const { code, stderr } = await lab.core.run(['curl', '-sSfI', ...patience, '-o', '/dev/null', url]);
  if (code !== 0) throw new Error(`nginx does not serve ${url}: ${stderr}`);
  return nginx;
}

async function measure(lab: Lab, server: Process, url: string, fetches: number): Promise<Measurement> {
  const outputs = Array.from({ length: fetches }, () => ['-o', '/dev/null', url]).flat();
  const argv = ['curl', '-sS', '-f', '-w', '%{size_download}\n', ...outputs];
  const pids = processTree(server.pid);
  const cpuBefore = cpuSeconds(pids);
  const startedAt = performance.now();
  const { result, idle } = await whileIdle(() =>
    Promise.all(Array.from({ length: CLIENTS }, () => lab.core.run(argv, { timeoutMs: 120_000 }))),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const failed = result.find((done) => done.code !== 0);
  if (failed) throw new Error(`curl ${url}: ${failed.stderr}`);
  const bytes = result
    .flatMap((done) => done.stdout.trim().split('\n'))
    .reduce((sum, line) => sum + Number(line), 0);
  const cpu = cpuSeconds(pids) - cpuBefore;
  return { gb_per_s: bytes / seconds / 1e9, cpu_s_per_gib: cpu / (bytes / (1024 * MIB)), idle };
}

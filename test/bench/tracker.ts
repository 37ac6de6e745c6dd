import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  announceQuery,
  artefactOf,
  COMPACT_PEER_BYTES,
  decodeAnnounceAnswer,
  type Manifest,
} from '@bootswarm/images/format';
import { Site, writeBuildFolder } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';
import { cpuSeconds, processTree, whileIdle } from './cpu.ts';

const SUBNET = '10.100.0.0/16';
const LOAD_ADDRESS = '10.100.0.2';
/** Of the machines, each with an address of its own; all of them are the load generator's. */
const MACHINES = '10.100.64.0/18';
const PEERS = 10_000;
/** At once, all from one address: far below the 64 that an edge lets in, as closing takes its time. */
const CONNECTIONS = 16;
const SECONDS = 5;
const PORTS = { ours: 8480, opentracker: 6969 } as const;
const UP_MS = 20_000;
const PEER_ID = Buffer.from('-BS0001-benchmarking');

type Start = () => Promise<Process>;

/**
 * The edge's tracker, which knows 10,000 peers, asked over HTTP as trackers are: a connection for each announce. Every
 * answer holds 50 peers.
 */
export const trackerBench: Bench = {
  name: 'tracker',
  summary: `announces of ${PEERS} peers over HTTP without keep-alive, against opentracker`,
  better: { announces_per_s: 'more', cpu_us: 'less', mb: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-tracker');
    try {
      say('laying a segment, a load generator with an address for each machine, a controller and an edge');
      const segment = await lab.addSegment({ relay: 'none', subnet: SUBNET });
      const load = await segment.addHost('load', { address: LOAD_ADDRESS });
      await load.ip(`route add local ${MACHINES} dev lo`);
      await lab.core.ip(`route add ${MACHINES} via ${LOAD_ADDRESS}`);
      // One host has ports for 28,000 connections a minute: after that its own search for a port would be measured.
      await load.run([
        'sysctl',
        '-q',
        '-w',
        'net.ipv4.tcp_tw_reuse=1',
        'net.ipv4.ip_local_port_range=1024 65535',
      ]);
      const { start, manifest } = await ourStart(lab, segment);
      const { infohash = '' } = artefactOf(manifest, 'root');
      const starts: Readonly<Record<keyof typeof PORTS, Start>> = {
        ours: start,
        opentracker: () => startOpentracker(lab, segment, infohash),
      };
      const subjects = Object.fromEntries(
        Object.entries(starts).map(([subject, begin]) => {
          const port = PORTS[subject as keyof typeof PORTS];
          const url = `http://${segment.edgeAddress}:${port}/announce?${queryOf(infohash)}`;
          return [subject, () => measure(lab, begin, load, url)];
        }),
      );
      return {
        cases: [{ name: 'announce', subjects }],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

function queryOf(infohash: string): string {
  const announce = { infohash, port: 6881, left: 1_000_000, event: undefined, wantedPeers: 50 };
  return announceQuery(announce, PEER_ID);
}

async function measure(lab: Lab, start: Start, load: Host, url: string): Promise<Measurement> {
  const tracker = await start();
  try {
    // Warm before memory is looked at: what the peers take is meant, not what the first answers do.
    await hammer(load, url, 2);
    const before = residentBytes(tracker.pid);
    await announceAll(lab, load, url);
    const pids = processTree(tracker.pid);
    const cpuBefore = cpuSeconds(pids);
    const { result, idle } = await whileIdle(() => hammer(load, url, SECONDS));
    await checkAnswer(lab, load, url);
    return {
      announces_per_s: result / SECONDS,
      cpu_us: ((cpuSeconds(pids) - cpuBefore) / result) * 1e6,
      mb: residentBytes(tracker.pid) / 1e6,
      grown_mb: (residentBytes(tracker.pid) - before) / 1e6,
      idle,
    };
  } finally {
    await tracker.stop();
  }
}

/** Announces again and again from one address. @returns how often it was answered. */
async function hammer(load: Host, url: string, seconds: number): Promise<number> {
  const argv = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}`, '-H', 'Connection: close', url];
  const { stdout, stderr } = await load.run(argv, { timeoutMs: 60_000 });
  const [, requests] = /(\d+) requests in/.exec(stdout) ?? [];
  // That opentracker resets the connection behind its answer counts as a read error.
  if (requests === undefined || /Non-2xx|connect [1-9]|timeout [1-9]/.test(stdout))
    throw new Error(`wrk: ${stderr}${stdout}`);
  return Number(requests);
}

/** Every machine announces once, from its own address. */
async function announceAll(lab: Lab, load: Host, url: string): Promise<void> {
  const config = join(lab.folder, 'announces');
  const announces = Array.from({ length: PEERS }, (_, at) => {
    const address = `10.100.${64 + (at >> 8)}.${at & 255}`;
    return `url = "${url}"\ninterface = "${address}"\noutput = "/dev/null"\nno-keepalive\n`;
  });
  writeFileSync(config, announces.join('next\n'));
  const { code, stderr } = await load.run(['curl', '-sS', '-f', '-K', config], { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`curl: ${stderr.slice(0, 500)}`);
}

/** A tracker that answers with less than another is no match for it. */
async function checkAnswer(lab: Lab, load: Host, url: string): Promise<void> {
  const into = join(lab.folder, 'answer');
  await load.run(['curl', '-sS', '-f', '-o', into, url]);
  const { peers, incomplete } = decodeAnnounceAnswer(readFileSync(into));
  const given = peers.length / COMPACT_PEER_BYTES;
  if (given !== 50 || incomplete < PEERS)
    throw new Error(`the tracker knows ${incomplete} peers and gave ${given}`);
}

async function ourStart(
  lab: Lab,
  segment: Segment,
): Promise<{ readonly start: Start; readonly manifest: Manifest }> {
  const site = await Site.start(lab);
  const on = segment.coreInterface ?? '';
  await site.addEdge('edge1', on);
  await site.addSegment(segment, 'edge1');
  const build = join(lab.folder, 'build');
  const small = new Uint8Array([1, 2, 3]);
  const manifest = await writeBuildFolder(build, { kernel: small, initramfs: small, root: small });
  const release = await site.publish(build);
  await site.bootswarm('machine', 'boot', '52:54:00:00:00:01', 'live', release);
  await site.releaseReady(release);
  await site.edge.stop();
  return { manifest, start: () => site.startEdge('edge1', [on]) };
}

/** Debian's answers for a list of infohashes alone, as ours does. It will not run as root, and reads in its own root. */
async function startOpentracker(lab: Lab, { edgeAddress }: Segment, infohash: string): Promise<Process> {
  const folder = join(lab.folder, 'opentracker');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, 'whitelist'), `${infohash}\n`);
  const argv = [
    ...['opentracker', '-i', edgeAddress, '-p', String(PORTS.opentracker)],
    ...['-d', folder, '-u', 'nobody', '-w', '/whitelist'],
  ];
  const tracker = await lab.core.start(argv, { name: 'opentracker' });
  for (const deadline = Date.now() + UP_MS; Date.now() < deadline; ) {
    const { stdout } = await lab.core.run(['ss', '-Hltn', `sport = :${PORTS.opentracker}`]);
    if (stdout.trim() !== '') return tracker;
  }
  await tracker.stop();
  throw new Error(`nobody listened on TCP port ${PORTS.opentracker} within ${UP_MS} ms`);
}

/** Memory of a process that is in use now (proc_pid_status(5), VmRSS). */
function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { program, Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';
import { whileIdle } from './cpu.ts';

const SUBNET = '10.100.0.0/16';
const LOAD_ADDRESS = '10.100.0.2';
/** Of the machines, each with an address of its own; all of them are the load generator's. */
const MACHINES = { subnet: '10.100.16.0/20', first: '10.100.16.1' } as const;
const CLIENTS = 500;
const FILE = { name: 'snponly.efi', path: '/usr/lib/ipxe/snponly.efi' } as const;
const TFTP_PORT = 69;
const UP_MS = 20_000;
const GIB = 1024 ** 3;

/** How machines ask, and how often each fetches the file in one measurement: a second or so for each server. */
const CASES: Readonly<Record<string, { options: Readonly<Record<string, string>>; fetches: number }>> = {
  ovmf: { options: { blksize: '1468', windowsize: '4' }, fetches: 4 },
  plain: { options: {}, fetches: 1 },
};

type Start = () => Promise<Process>;

/** What the load generator prints. */
interface Load {
  readonly complete: number;
  readonly failure?: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
}

/** A rack that loads its firmware: 500 transfers that begin together, each checked byte by byte. */
export const tftpBench: Bench = {
  name: 'tftp',
  summary: '500 machines that fetch snponly.efi at once, against tftpd-hpa and dnsmasq',
  better: { mb_per_s: 'more', cpu_s_per_gib: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-tftp');
    try {
      say('laying a segment with a load generator that plays the machines');
      const segment = await lab.addSegment({ relay: 'none', subnet: SUBNET });
      const load = await segment.addHost('load', { address: LOAD_ADDRESS });
      await load.ip(`route add local ${MACHINES.subnet} dev lo`);
      await lab.core.ip(`route add ${MACHINES.subnet} via ${LOAD_ADDRESS}`);
      const tree = join(lab.folder, 'tree');
      mkdirSync(tree);
      copyFileSync(FILE.path, join(tree, FILE.name));
      const starts: Readonly<Record<string, Start>> = {
        ours: await ourStart(lab, segment),
        tftpd_hpa: () => startTftpdHpa(lab, segment, tree),
        dnsmasq: () => startDnsmasq(lab, segment, tree),
      };
      const cases = Object.keys(CASES).map((name) => ({
        name,
        subjects: Object.fromEntries(
          Object.entries(starts).map(([subject, start]) => [
            subject,
            () => measure(start, load, segment.edgeAddress, name),
          ]),
        ),
      }));
      return { cases, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function measure(start: Start, load: Host, server: string, name: string): Promise<Measurement> {
  const process = await start();
  try {
    // A server that has just started is no server that a rack meets.
    await fetchAll(load, server, name);
    const { result, idle } = await whileIdle(() => fetchAll(load, server, name));
    // tftpd-hpa's children leave no account of themselves: what is not idle and not the generator is the server.
    const cpu = result.seconds * cpus().length * (1 - idle) - result.cpuSeconds;
    return {
      mb_per_s: result.bytes / result.seconds / 1e6,
      cpu_s_per_gib: cpu / (result.bytes / GIB),
      // Near 0 the generator was the limit: the server can do more.
      generator_headroom: 1 - result.cpuSeconds / result.seconds,
      idle,
    };
  } finally {
    await process.stop();
  }
}

/** @throws where a machine did not get every byte. */
async function fetchAll(load: Host, server: string, name: string): Promise<Load> {
  const content = readFileSync(FILE.path);
  const order = {
    server,
    port: TFTP_PORT,
    file: FILE.name,
    lengthBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    firstClient: MACHINES.first,
    clients: CLIENTS,
    ...CASES[name],
  };
  const done = await load.run(program('edge-node/service/testing/tftp-load.ts', JSON.stringify(order)), {
    timeoutMs: 150_000,
  });
  const result = JSON.parse(done.stdout || '{}') as Load;
  if (done.code !== 0)
    throw new Error(`${result.complete} of ${CLIENTS} came byte-exact: ${result.failure ?? done.stderr}`);
  return result;
}

async function ourStart(lab: Lab, segment: Segment): Promise<Start> {
  const site = await Site.start(lab);
  const on = segment.coreInterface ?? '';
  await site.addEdge('edge1', on);
  await site.addSegment(segment, 'edge1');
  await site.edge.waitForLine(/"segments":1/, UP_MS);
  await site.edge.stop();
  return () => site.startEdge('edge1', [on]);
}

async function startTftpdHpa(lab: Lab, { edgeAddress }: Segment, tree: string): Promise<Process> {
  const listen = ['-L', '--address', `${edgeAddress}:${TFTP_PORT}`];
  const argv = ['in.tftpd', ...listen, '--user', 'root', '--secure', tree];
  return bound(lab, await lab.core.start(argv, { name: 'tftpd-hpa' }));
}

async function startDnsmasq(lab: Lab, { coreInterface }: Segment, tree: string): Promise<Process> {
  const argv = [
    ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root'],
    ...['--quiet-tftp', '--log-facility=-', `--interface=${coreInterface}`, '--bind-interfaces'],
    ...['--enable-tftp', `--tftp-root=${tree}`, `--tftp-max=${2 * CLIENTS}`],
  ];
  return bound(lab, await lab.core.start(argv, { name: 'dnsmasq' }));
}

async function bound(lab: Lab, server: Process): Promise<Process> {
  for (const deadline = Date.now() + UP_MS; Date.now() < deadline; ) {
    const { stdout } = await lab.core.run(['ss', '-Hlun', `sport = :${TFTP_PORT}`]);
    if (stdout.trim() !== '') return server;
  }
  await server.stop();
  throw new Error(`nobody listened on UDP port ${TFTP_PORT} within ${UP_MS} ms`);
}

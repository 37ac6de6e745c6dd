import { randomFillSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artefactOf } from '@bootswarm/images/format';
import { program, Site, writeBuildFolder } from '../boot/index.ts';
import { type Host, Lab, type Process } from '../lab/index.ts';
import { type Bench, type Measurement, OURS } from './bench.ts';
import { whileIdle } from './cpu.ts';

const MIB = 1024 * 1024;
const EDGES = 20;
const IMAGE_BYTES = 64 * MIB;
/** Five edges' worth for the controller, as in the fleet of machines. */
const EDGE_MBIT = 20;
const CONTROLLER_MBIT = 100;
const MACHINES = 200;
/** To 200 machines that is 3.1 GiB, from one process. */
const COLD_BYTES = 16 * MIB;
const COLD = 'cold';
const UP_MS = 60_000;
const PATIENCE_MS = 400_000;
/** Larger than any packet that TCP hands on, so that none is cut and counted with headers of its own. */
const BURST = '256kb';

/** What leaves the controller when many edges fetch an image, and when a thousand machines ask an edge that has none. */
export const swarmEdgesBench: Bench = {
  name: 'swarm-edges',
  summary: `bytes that leave the controller to ${EDGES} edges, and to a cold edge of which ${MACHINES} machines ask, by the image`,
  better: { upstream_bytes: 'less', last_s: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-edges');
    try {
      const site = await Site.start(lab);
      await shape(lab, lab.core.bridge, CONTROLLER_MBIT);
      const names = Array.from({ length: EDGES }, (_, at) => `edge${at + 1}`);
      say(
        `starting ${EDGES} edges, each behind ${EDGE_MBIT} Mbit/s, the controller behind ${CONTROLLER_MBIT}`,
      );
      const hosts = new Map<string, Host>();
      for (const [at, name] of [...names, COLD].entries()) hosts.set(name, await layHost(lab, name, at));
      const edges: Edge[] = [];
      for (const name of names) edges.push(await startEdge(site, name, hosts.get(name) as Host));
      await site.bootswarm('edge', 'add', COLD);
      const ground: Ground = { lab, site, cold: hosts.get(COLD) as Host };
      const image: () => Promise<Measurement> = async () => ({
        upstream_bytes: IMAGE_BYTES,
        last_s: IMAGE_BYTES / ((EDGE_MBIT * 1e6) / 8),
      });
      return {
        cases: [
          { name: String(EDGES), subjects: { [OURS]: () => toAll(ground, edges), image } },
          {
            name: COLD,
            subjects: {
              [OURS]: () => toCold(ground, edges),
              image: async () => ({ upstream_bytes: COLD_BYTES }),
            },
          },
        ],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

interface Ground {
  readonly lab: Lab;
  readonly site: Site;
  readonly cold: Host;
}

interface Edge {
  readonly name: string;
  readonly process: Process;
}

let releases = 0;

/** A new image, told to every edge at once. */
async function toAll({ lab, site }: Ground, edges: readonly Edge[]): Promise<Measurement> {
  const { release, sha256 } = await publish(site, IMAGE_BYTES);
  const before = await sentBytes(lab);
  const startedAt = performance.now();
  const { idle } = await whileIdle(async () => {
    await name(
      site,
      edges.map((edge) => edge.name),
      release,
    );
    await Promise.all(edges.map(({ process }) => process.waitForLine(readyLine(sha256), PATIENCE_MS)));
  });
  return {
    upstream_bytes: (await sentBytes(lab)) - before,
    last_s: (performance.now() - startedAt) / 1000,
    idle,
  };
}

/** An edge with nothing but its name; the machines ask while it fetches. The other edges do not want the image. */
async function toCold({ lab, site, cold }: Ground, edges: readonly Edge[]): Promise<Measurement> {
  const { release, sha256 } = await publish(site, COLD_BYTES);
  await name(site, [COLD], release);
  const before = await sentBytes(lab);
  const edge = await startEdge(site, COLD, cold);
  try {
    await edge.process.waitForLine(/following a new desired state/, UP_MS);
    const whole = askAll(lab, cold, sha256);
    await edge.process.waitForLine(readyLine(sha256), PATIENCE_MS);
    const atReady = await sentBytes(lab);
    await whole;
    return {
      upstream_bytes: (await sentBytes(lab)) - before,
      until_ready_bytes: atReady - before,
      other_edges: edges.length,
    };
  } finally {
    await edge.process.stop();
    rmSync(join(lab.folder, COLD), { recursive: true, force: true });
  }
}

/** Every machine asks from an address of its own, and again where it is told to come later. */
async function askAll(lab: Lab, cold: Host, sha256: string): Promise<void> {
  const config = join(lab.folder, 'machines');
  const ask = (at: number): string =>
    [
      `url = "http://127.0.0.1:8480/artefacts/${sha256}/root.squashfs"`,
      `interface = "127.0.1.${at + 1}"`,
      ...['output = "/dev/null"', 'write-out = "%{http_code} %{size_download}\\n"'],
      ...['fail', 'retry = 1000', 'retry-max-time = 300', ''],
    ].join('\n');
  writeFileSync(config, Array.from({ length: MACHINES }, (_, at) => ask(at)).join('next\n'));
  const parallel = ['--parallel', '--parallel-immediate', '--parallel-max', String(MACHINES)];
  const argv = ['curl', '-sS', ...parallel, '-K', config];
  const { stdout, stderr } = await cold.run(argv, { timeoutMs: PATIENCE_MS });
  const got = stdout.split('\n').filter((line) => line === `200 ${COLD_BYTES}`).length;
  if (got !== MACHINES)
    throw new Error(
      `${got} of ${MACHINES} machines got the image: ${stdout.slice(-300)}${stderr.slice(-300)}`,
    );
}

async function publish(site: Site, bytes: number): Promise<{ release: string; sha256: string }> {
  releases += 1;
  const build = join(site.lab.folder, `build${releases}`);
  const small = new Uint8Array([1, 2, releases]);
  const files = { kernel: small, initramfs: small, root: randomFillSync(new Uint8Array(bytes)) };
  const manifest = await writeBuildFolder(build, files, ['boot=live'], String(releases));
  const release = await site.publish(build);
  rmSync(build, { recursive: true });
  return { release, sha256: artefactOf(manifest, 'root').sha256 };
}

/** Lets the machines of these edges boot a release. */
async function name(site: Site, edges: readonly string[], release: string): Promise<void> {
  const segments = edges.map((edge) => {
    const number = edge === COLD ? 0 : Number(edge.slice('edge'.length));
    return {
      name: `seg-${edge}`,
      subnet: `10.80.${number}.0/24`,
      pools: [{ first: `10.80.${number}.10`, last: `10.80.${number}.250` }],
      edges: [edge],
      defaultIntent: { kind: 'live', release },
    };
  });
  const file = join(site.lab.folder, 'segments.json');
  writeFileSync(file, JSON.stringify({ segments }));
  await site.bootswarm('segment', 'apply', file);
}

async function layHost(lab: Lab, name: string, at: number): Promise<Host> {
  const host = await lab.core.addHost(name, { address: lab.core.subnet.address(101 + at) });
  await shape(host, host.interface, EDGE_MBIT);
  await shape(lab, `to-${name}`, EDGE_MBIT);
  return host;
}

/** Caps what leaves by an interface. */
async function shape(where: Lab | Host, networkInterface: string, mbit: number): Promise<void> {
  const namespace = where instanceof Lab ? where.core : where;
  const rate = ['rate', `${mbit}mbit`, 'burst', BURST, 'latency', '300ms'];
  const { code, stderr } = await namespace.run([
    ...['tc', 'qdisc', 'add', 'dev', networkInterface, 'root', 'tbf'],
    ...rate,
  ]);
  if (code !== 0) throw new Error(`tc: ${stderr}`);
}

async function startEdge(site: Site, name: string, host: Host): Promise<Edge> {
  const verb = name === COLD ? 'invite' : 'add';
  const { joinToken } = (await site.bootswarm('edge', verb, name)) as { joinToken: string };
  const { BOOTSWARM_URL: url = '' } = site.env;
  const data = join(site.lab.folder, name);
  const options = ['--controller', url, '--data', data, '--keep-hours', '0', '--interface', host.interface];
  const process = await host.start(program('edge-node/service/main.ts', ...options), {
    name,
    env: { BOOTSWARM_JOIN_TOKEN: joinToken },
  });
  await process.waitForLine(/edge is up/, UP_MS);
  return { name, process };
}

function readyLine(sha256: string): RegExp {
  return new RegExp(`${sha256}.*artefact verified and ready`);
}

/** Bytes that have left the controller's interface, of all kinds. */
async function sentBytes(lab: Lab): Promise<number> {
  const file = `/sys/class/net/${lab.core.bridge}/statistics/tx_bytes`;
  const { stdout, stderr } = await lab.core.run(['cat', file]);
  const bytes = Number(stdout);
  if (!(bytes > 0)) throw new Error(`the controller's interface tells no bytes: ${stderr}${stdout}`);
  return bytes;
}

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bootFrom,
  countedBytes,
  layFarEdge,
  publishRandom,
  readyLine,
  Site,
  startFarEdge,
  uplink,
} from '../boot/index.ts';
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

/** What leaves the controller when many edges fetch an image, and when many machines ask an edge that does not have it. */
export const swarmEdgesBench: Bench = {
  name: 'swarm-edges',
  summary: `bytes that leave the controller to ${EDGES} edges, and to one that ${MACHINES} machines ask, against the image's`,
  better: { upstream_bytes: 'less', last_s: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-edges');
    try {
      const site = await Site.start(lab);
      await lab.core.shape(lab.core.bridge, uplink(CONTROLLER_MBIT));
      say(
        `starting ${EDGES} edges, each behind ${EDGE_MBIT} Mbit/s, the controller behind ${CONTROLLER_MBIT}`,
      );
      const edges = new Map<string, Process>();
      for (let at = 0; at < EDGES; at++) {
        const name = `edge${at + 1}`;
        edges.set(name, await startFarEdge(site, name, await layFarEdge(lab, name, at, EDGE_MBIT)));
      }
      const cold = await layFarEdge(lab, COLD, EDGES, EDGE_MBIT);
      await site.bootswarm('edge', 'add', COLD);
      const ground: Ground = { site, edges, cold, published: 0 };
      const image = async (): Promise<Measurement> => ({
        upstream_bytes: IMAGE_BYTES,
        last_s: IMAGE_BYTES / ((EDGE_MBIT * 1e6) / 8),
      });
      const coldImage = async (): Promise<Measurement> => ({ upstream_bytes: COLD_BYTES });
      return {
        cases: [
          { name: String(EDGES), subjects: { [OURS]: () => toAll(ground), image } },
          { name: COLD, subjects: { [OURS]: () => toCold(ground), image: coldImage } },
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
  readonly site: Site;
  readonly edges: ReadonlyMap<string, Process>;
  readonly cold: Host;
  published: number;
}

/** A new image, told to every edge at once. */
async function toAll(ground: Ground): Promise<Measurement> {
  const { site, edges } = ground;
  const { release, sha256 } = await publish(ground, IMAGE_BYTES);
  const before = await sentBytes(site.lab);
  const startedAt = performance.now();
  const { result: lines, idle } = await whileIdle(async () => {
    await bootFrom(site, new Map(Array.from(edges.keys(), (name, at) => [name, at])), release);
    const ready = Array.from(edges.values(), (edge) => edge.waitForLine(readyLine(sha256), PATIENCE_MS));
    return Promise.all(ready);
  });
  const fetched = lines.map((line) => (JSON.parse(line) as { readonly fetchedBytes: number }).fetchedBytes);
  return {
    upstream_bytes: (await sentBytes(site.lab)) - before,
    last_s: (performance.now() - startedAt) / 1000,
    // Of one edge: what came for nothing as well.
    fetched_images: fetched.reduce((sum, bytes) => sum + bytes, 0) / (edges.size * IMAGE_BYTES),
    idle,
  };
}

/** An edge with nothing but its name; the machines ask while it fetches. The other edges do not want the image. */
async function toCold(ground: Ground): Promise<Measurement> {
  const { site, edges, cold } = ground;
  const { lab } = site;
  const { release, sha256 } = await publish(ground, COLD_BYTES);
  await bootFrom(site, new Map([[COLD, edges.size]]), release);
  const before = await sentBytes(lab);
  const edge = await startFarEdge(site, COLD, cold, 'invite');
  try {
    await edge.waitForLine(/following a new desired state/, UP_MS);
    const asked = askAll(lab, cold, sha256);
    await edge.waitForLine(readyLine(sha256), PATIENCE_MS);
    await asked;
    return { upstream_bytes: (await sentBytes(lab)) - before };
  } finally {
    await edge.stop();
    rmSync(join(lab.folder, COLD), { recursive: true, force: true });
  }
}

function publish(ground: Ground, bytes: number): ReturnType<typeof publishRandom> {
  ground.published += 1;
  return publishRandom(ground.site, bytes, String(ground.published));
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
    throw new Error(`${got} of ${MACHINES} machines got it: ${stdout.slice(-300)}${stderr.slice(-300)}`);
}

/** What has left the controller by its interface, of all kinds. */
function sentBytes(lab: Lab): Promise<number> {
  return countedBytes(lab.core, lab.core.bridge, 'tx');
}

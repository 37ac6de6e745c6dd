import { artefactOf } from '@bootswarm/images/format';
import { program, Site, writeBuildFolder } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { HostileOrder } from './hostile-order.ts';
import { type PeerOptions, type SharedArtefact, SwarmPeer, shareArtefact } from './swarm-peer.ts';

const HTTP_PORT = 8480;
const EDGE = 'edge1';
/** Of a root: twenty pieces of 1 MiB, and a short one. */
const ROOT_BYTES = 20 * 1024 * 1024 + 12_345;
const HOSTILE_MS = 120_000;

/** The root of a release for tests: bytes as by chance, the same each time. */
export function swarmRoot(): Uint8Array {
  const root = new Uint8Array(ROOT_BYTES);
  let state = 1;
  for (let at = 0; at < root.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    root[at] = state >>> 24;
  }
  return root;
}

/** One segment with an edge that has a release, whose root the segment's machines share. */
export class SwarmGround implements AsyncDisposable {
  readonly lab: Lab;
  readonly site: Site;
  readonly segment: Segment;
  readonly shared: SharedArtefact;
  #hosts = 0;

  private constructor(lab: Lab, site: Site, segment: Segment, shared: SharedArtefact) {
    this.lab = lab;
    this.site = site;
    this.segment = segment;
    this.shared = shared;
  }

  static async lay(name: string): Promise<SwarmGround> {
    const lab = await Lab.create(name);
    try {
      const segment = await lab.addSegment({ relay: 'none' });
      const site = await Site.start(lab);
      await site.addEdge(EDGE, segment.coreInterface ?? '');
      await site.addSegment(segment, EDGE);
      const [small, root] = [new Uint8Array([1, 2, 3]), swarmRoot()];
      const build = await writeBuildFolder(`${lab.folder}/build`, { kernel: small, initramfs: small, root });
      const release = await site.publish(`${lab.folder}/build`);
      await site.bootswarm('machine', 'boot', '52:54:00:00:00:01', 'live', release);
      await site.releaseReady(release);
      return new SwarmGround(lab, site, segment, shareArtefact(lab.folder, artefactOf(build, 'root'), root));
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  get edgeUrl(): string {
    return `http://${this.segment.edgeAddress}:${HTTP_PORT}`;
  }

  get trackerUrl(): string {
    return `${this.edgeUrl}/announce`;
  }

  /** Of the root, by HTTP. */
  get webseedUrl(): string {
    const { sha256, name } = this.shared.artefact;
    return `${this.edgeUrl}/artefacts/${sha256}/${name}`;
  }

  /** Adds a host with an address of its own. */
  async addHost(name: string): Promise<GroundHost> {
    this.#hosts += 1;
    const address = this.segment.subnet.address(10 + this.#hosts);
    const host = await this.segment.addHost(name, { address });
    return { host, address, port: `to-${name}` };
  }

  startPeer({ host }: GroundHost, options: Omit<PeerOptions, 'folder'> = {}): Promise<SwarmPeer> {
    return SwarmPeer.start(host, this.segment, this.shared, { ...options, folder: this.lab.folder });
  }

  /** Starts the edge again after it was killed. */
  async restartEdge(): Promise<void> {
    await this.site.startEdge(EDGE, [this.segment.coreInterface ?? '']);
  }

  startHostile({ host }: GroundHost, order: HostileOrder): Promise<Process> {
    return host.start(program('test/swarm/testing/hostile.ts', JSON.stringify(order)), { name: order.kind });
  }

  /** Has a hostile peer do its worst, to the end. @returns what it told, line by line. */
  async runHostile({ host }: GroundHost, order: HostileOrder): Promise<readonly unknown[]> {
    const argv = program('test/swarm/testing/hostile.ts', JSON.stringify(order));
    const { code, stdout, stderr } = await host.run(argv, { timeoutMs: HOSTILE_MS });
    if (code !== 0) throw new Error(`the hostile peer ended with ${code}: ${stderr}`);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }
}

export interface GroundHost {
  readonly host: Host;
  readonly address: string;
  /** Of the segment's bridge, to which its cable leads. */
  readonly port: string;
}

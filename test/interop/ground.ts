import { readFileSync, writeFileSync } from 'node:fs';
import { artefactOf } from '@bootswarm/images/format';
import { debianKernel, Site, smallInitramfs, writeBuildFolder } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import { type SharedArtefact, shareArtefact, swarmRoot } from '../swarm/index.ts';
import type { Column } from './matrix.ts';
import { SwarmPairs } from './swarm-pairs.ts';

/** A boot file that the edge serves by TFTP and HTTP, for clients to fetch and compare. */
export const BOOT_FILE = 'undionly.kpxe';
const EDGE = 'edge1';
const HTTP_PORT = 8480;
const FOLLOWING_MS = 60_000;
const RELAYS = { dhcrelay: 'dhcrelay', dnsmasq: 'dnsmasq', direct: 'none' } as const;
/** Debian's, signed by Microsoft: what firmware with Secure Boot loads. */
const SHIM = 'shimx64.efi';
/** The kernel speaks from its first line on, also where ACPI does not name the serial port. */
const CONSOLE = ['console=ttyS0,115200n8', 'earlyprintk=ttyS0,115200n8'];

/** How the machines of a segment are sent their first file. */
export type Chain = 'ipxe' | 'undionly' | 'shim';

interface Told {
  readonly stage: string;
  readonly detail: string;
}

/** Segments of every kind, with a live edge that boots every machine into Debian's kernel. */
export class Ground implements AsyncDisposable {
  readonly lab: Lab;
  readonly bootFile = readFileSync(`/usr/lib/ipxe/${BOOT_FILE}`);
  readonly #site: Site;
  readonly #segments: ReadonlyMap<string, Segment>;
  readonly #pairs = new Map<Column, Promise<SwarmPairs>>();
  #shared: SharedArtefact | undefined;
  #hosts = 0;

  private constructor(lab: Lab, site: Site, segments: ReadonlyMap<string, Segment>) {
    this.lab = lab;
    this.#site = site;
    this.#segments = segments;
  }

  /** @param chains the kinds of segments that will be asked for, beside the plain one. */
  static async lay(chains: readonly Chain[], columns: readonly Column[]): Promise<Ground> {
    const lab = await Lab.create('interop');
    try {
      const segments = new Map<string, Segment>();
      for (const column of columns)
        for (const chain of new Set<Chain>(['ipxe', ...chains])) {
          const segment = await lab.addSegment({ relay: RELAYS[column] });
          if (chain === 'undionly') await segment.disguiseRoms();
          segments.set(`${chain} ${column}`, segment);
        }
      const site = await Site.start(lab);
      const ground = new Ground(lab, site, segments);
      await ground.#serve();
      return ground;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  segment(chain: Chain, column: Column): Segment {
    const segment = this.#segments.get(`${chain} ${column}`);
    if (!segment) throw new Error(`no segment was laid for ${chain}, ${column}`);
    return segment;
  }

  /** Adds a host without an address, as it is before DHCP. */
  newHost(column: Column): Promise<Host> {
    return this.segment('ipxe', column).addHost(this.#hostName());
  }

  /** Adds a host with an address of its own, outside the pool. */
  addressedHost(column: Column): Promise<Host> {
    const segment = this.segment('ipxe', column);
    const name = this.#hostName();
    return segment.addHost(name, { address: segment.subnet.address(20 + this.#hosts) });
  }

  /** Two hosts that share the release's root. */
  swarmPairs(column: Column): Promise<SwarmPairs> {
    const shared = this.#shared;
    if (!shared) throw new Error('no release was published');
    const laid = this.#pairs.get(column) ?? SwarmPairs.lay(this.lab, this.segment('ipxe', column), shared);
    this.#pairs.set(column, laid);
    return laid;
  }

  httpUrl(column: Column): string {
    return `http://${this.segment('ipxe', column).edgeAddress}:${HTTP_PORT}`;
  }

  /** What the edge journaled of a machine so far, in order. */
  toldOf(mac: string): readonly Told[] {
    return this.#edge.output.text
      .split('\n')
      .filter((line) => line.includes('"msg":"journal"') && line.includes(`"mac":"${mac}"`))
      .map((line) => JSON.parse(line) as Told);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }

  get #edge(): Process {
    return this.#site.edge;
  }

  #hostName(): string {
    this.#hosts += 1;
    return `host${this.#hosts}`;
  }

  async #serve(): Promise<void> {
    const { lab } = this;
    const site = this.#site;
    const attached = [...this.#segments.values()].flatMap(({ coreInterface }) => coreInterface ?? []);
    await site.addEdge(EDGE, lab.core.bridge, ...attached);
    const root = swarmRoot();
    const files = { kernel: await debianKernel(lab), initramfs: smallInitramfs(), root };
    const manifest = await writeBuildFolder(`${lab.folder}/build`, files, CONSOLE);
    this.#shared = shareArtefact(lab.folder, artefactOf(manifest, 'root'), root);
    const release = await site.publish(`${lab.folder}/build`);
    for (const [kind, segment] of this.#segments) await this.#addSegment(segment, kind, release);
    await this.#edge.waitForLine(
      new RegExp(`"segments":${this.#segments.size},.*following a new desired state`),
      FOLLOWING_MS,
    );
    await site.releaseReady(release);
  }

  async #addSegment({ number, subnet, gateway }: Segment, kind: string, release: string): Promise<void> {
    const site = this.#site;
    const name = `seg${number}`;
    const pool = `${subnet.address(100)}-${subnet.address(199)}`;
    const where = ['--subnet', subnet.cidr, '--router', gateway, '--pool', pool, '--edge', EDGE];
    const segment = await site.bootswarm('segment', 'add', name, ...where, '--default-live', release);
    if (!kind.startsWith('shim')) return;
    const file = `${this.lab.folder}/${name}.json`;
    writeFileSync(file, JSON.stringify({ ...(segment as object), firmware: { 'uefi-x64': SHIM } }));
    await site.bootswarm('segment', 'apply', file);
  }
}

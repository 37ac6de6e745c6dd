import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge, Release } from '@bootswarm/controller/contract';
import { edgeArtefacts, releaseId } from '@bootswarm/images/format';
import type { Lab, Process, Segment } from '../lab/index.ts';
import { program } from './program.ts';

const CONTROLLER_PORT = 8470;
/** Where two builds and two machines run beside it, a start takes a minute. */
const UP_MS = 240_000;

/** A controller and an edge as programs in the core of a lab, used as an operator uses them: by the command line. */
export class Site {
  readonly lab: Lab;
  #controller: Process;
  #edge: Process | undefined;
  readonly #env: Readonly<Record<string, string>>;

  readonly #controllerOptions: readonly string[];

  private constructor(
    lab: Lab,
    parts: {
      readonly controller: Process;
      readonly controllerOptions: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    },
  ) {
    this.lab = lab;
    this.#controller = parts.controller;
    this.#controllerOptions = parts.controllerOptions;
    this.#env = parts.env;
  }

  /** Starts a fresh controller with more options, if any, and takes the operator's token from what it prints at its first start. */
  static async start(lab: Lab, controllerOptions: readonly string[] = []): Promise<Site> {
    const controller = await startController(lab, controllerOptions);
    const line = await controller.waitForLine(/operatorToken/, UP_MS);
    const { operatorToken } = JSON.parse(line) as { operatorToken: string };
    const env = {
      BOOTSWARM_URL: `http://${lab.core.address}:${CONTROLLER_PORT}`,
      BOOTSWARM_TOKEN: operatorToken,
      BOOTSWARM_KEYS: `${lab.folder}/keys`,
    };
    const site = new Site(lab, { controller, controllerOptions, env });
    await site.bootswarm('trust', 'init');
    return site;
  }

  get controller(): Process {
    return this.#controller;
  }

  /** Starts the controller again, with what it had kept. */
  async startController(): Promise<void> {
    this.#controller = await startController(this.lab, this.#controllerOptions);
    await this.#controller.waitForLine(/controller is up/, UP_MS);
  }

  get edge(): Process {
    if (!this.#edge) throw new Error('no edge was started');
    return this.#edge;
  }

  /** Where the controller is, and the operator's token, as the command reads them. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /** Runs the `bootswarm` command where the controller is reached. @throws where it fails. */
  async bootswarm(...args: readonly string[]): Promise<unknown> {
    const done = await this.lab.core.run(program('controller/cli/main.ts', '--json', ...args), {
      env: this.#env,
      timeoutMs: 120_000,
    });
    if (done.code !== 0) throw new Error(`bootswarm ${args.join(' ')}: ${done.stderr || done.stdout}`);
    return JSON.parse(done.stdout.trimEnd().split('\n').at(-1) ?? '');
  }

  /** The root of trust that the operator's keys know: what an initramfs is built with. */
  async trustRoot(): Promise<string> {
    const folder = this.#env['BOOTSWARM_KEYS'] ?? '';
    const { root } = JSON.parse(await readFile(`${folder}/known.json`, 'utf8')) as { root: string };
    return root;
  }

  /** Adds the edge `name` and starts it with its join token. */
  async addEdge(name: string, ...interfaces: readonly string[]): Promise<Process> {
    const { joinToken } = (await this.bootswarm('edge', 'add', name)) as { joinToken: string };
    return this.startEdge(name, interfaces, { BOOTSWARM_JOIN_TOKEN: joinToken });
  }

  /** Adds a segment of the lab under the name `segN`, and gives away its addresses 100 to 199. */
  async addSegment(segment: Segment, edge: string): Promise<void> {
    const { number, subnet, gateway } = segment;
    const pool = `${subnet.address(100)}-${subnet.address(199)}`;
    const where = ['--subnet', subnet.cidr, '--router', gateway, '--pool', pool, '--edge', edge];
    await this.bootswarm('segment', 'add', `seg${number}`, ...where);
  }

  /** Changes settings of a segment as an operator does, by a file. */
  async changeSegment({ number }: Segment, change: object): Promise<void> {
    const shown = await this.bootswarm('segment', 'show', `seg${number}`);
    const file = `${this.lab.folder}/segment${number}.yaml`;
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ ...(shown as object), ...change }));
    await this.bootswarm('segment', 'apply', file);
  }

  /** @returns the release's id. */
  async publish(buildFolder: string): Promise<string> {
    const { manifest } = (await this.bootswarm('image', 'publish', buildFolder)) as Release;
    return releaseId(manifest);
  }

  /** Resolves when every edge has attested all artefacts of a release. Some segment or machine must name it. */
  async releaseReady(release: string, timeoutMs = 60_000): Promise<void> {
    const { manifest } = (await this.bootswarm('image', 'show', release)) as Release;
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      const edges = (await this.bootswarm('edge', 'list')) as Edge[];
      const ready = (edge: Edge): boolean =>
        edgeArtefacts(manifest).every(({ sha256 }) => edge.status?.ready.includes(sha256));
      if (edges.every(ready)) return;
      await sleep(500);
    }
    throw new Error(`no edge had ${release} ready within ${timeoutMs / 1000} s`);
  }

  /** Starts an edge that joined before. */
  async startEdge(
    name: string,
    interfaces: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Process> {
    const options = [
      '--controller',
      this.#env['BOOTSWARM_URL'] ?? '',
      '--data',
      `${this.lab.folder}/${name}`,
    ];
    const argv = program('edge-node/service/main.ts', ...options, '--interface', ...interfaces);
    this.#edge = await this.lab.core.start(argv, { name, env });
    await this.#edge.waitForLine(/edge is up/, UP_MS);
    return this.#edge;
  }
}

function startController(lab: Lab, options: readonly string[]): Promise<Process> {
  const where = ['--data', `${lab.folder}/controller`, '--port', String(CONTROLLER_PORT)];
  return lab.core.start(program('controller/server/main.ts', ...where, ...options), { name: 'controller' });
}

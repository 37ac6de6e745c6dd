import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@bootswarm/controller/contract';
import { digestOf, type Manifest, releaseId } from '@bootswarm/images/format';
import { type Done, Program } from './program.ts';

/** A controller as a program, and the command line as an operator uses it, with everything in one temporary folder. */
export class Site implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly operatorToken: string;
  readonly #controller: Program;

  private constructor(folder: string, controller: Program, port: number, operatorToken: string) {
    this.folder = folder;
    this.#controller = controller;
    this.port = port;
    this.operatorToken = operatorToken;
  }

  /** @param trust whether the operator has made the keys that sign releases. @param controllerOptions beside its own. */
  static async start({
    trust = true,
    controllerOptions = [],
  }: {
    readonly trust?: boolean;
    readonly controllerOptions?: readonly string[];
  } = {}): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-cli-'));
    const where = [
      '--data',
      join(folder, 'data'),
      '--address',
      '127.0.0.1',
      '--port',
      '0',
      '--swarm-port',
      '0',
      ...controllerOptions,
    ];
    const controller = new Program('server/main.ts', where);
    const [, token = ''] = await controller.printed(/"operatorToken":"([^"]+)"/);
    const [, port] = await controller.printed(/"port":(\d+)/);
    const site = new Site(folder, controller, Number(port), token);
    if (trust) await site.run('trust', 'init');
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get client(): Client {
    return new Client({ url: this.url, token: this.operatorToken });
  }

  /** The environment of an operator who has logged in by it. */
  env(port = this.port): Readonly<Record<string, string>> {
    return {
      ...this.strangerEnv(),
      BOOTSWARM_URL: `http://127.0.0.1:${port}`,
      BOOTSWARM_TOKEN: this.operatorToken,
    };
  }

  /** The environment of one who has kept nothing, or what `login` kept under `name`. */
  strangerEnv(name = 'nobody'): Readonly<Record<string, string>> {
    return { XDG_CONFIG_HOME: join(this.folder, name), HOME: join(this.folder, name) };
  }

  /** Runs `bootswarm` to its end. */
  async run(...args: readonly string[]): Promise<Done> {
    return this.runWith('', ...args);
  }

  /** The same, with something on standard input. */
  async runWith(input: string, ...args: readonly string[]): Promise<Done> {
    await using program = new Program('cli/main.ts', args, this.env(), input);
    return await program.done;
  }

  /** Makes a build folder `name` whose root has `rootBytes` bytes. */
  async build(
    version: string,
    rootBytes: number,
    name = version,
  ): Promise<{ readonly folder: string; readonly release: string }> {
    const folder = join(this.folder, `build-${name}`);
    await mkdir(folder);
    const lengths = { kernel: 1000, initramfs: 2000, root: rootBytes } as const;
    const artefacts: Manifest['artefacts'] = [];
    for (const role of ['kernel', 'initramfs', 'root'] as const) {
      const bytes = Buffer.alloc(lengths[role], `${version} ${role} `);
      const { pieces, ...digest } = await digestOf(
        (async function* () {
          yield bytes;
        })(),
      );
      artefacts.push({ role, name: role, ...digest, pieces: [...pieces] });
      await writeFile(join(folder, role), bytes);
    }
    const manifest: Manifest = {
      format: 1,
      name: 'minimal',
      version,
      architecture: 'amd64',
      bootStyle: 'live-boot',
      kernelArguments: [],
      artefacts,
    };
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    return { folder, release: releaseId(manifest) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}

import { join, resolve } from 'node:path';
import { type CommandOptions, type CommandResult, mustRun, runCommand } from './command.ts';
import { Process } from './process.ts';
import { requireFor } from './requirements.ts';
import type { LabScope } from './scope.ts';

export interface StartOptions {
  /** Names the process in errors, and its log; the program's name unless said. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Relative to the lab's folder; `NAMESPACE-NAME.log` unless said. */
  readonly logFile?: string;
  readonly filter?: (chunk: string) => string;
}

/** What a link lets through (tc-tbf(8)). */
export interface LinkRate {
  readonly mbit: number;
  /** At once, in KiB: at least one frame that the kernel has put together. */
  readonly burstKib: number;
  /** What waits for so long is all that waits. */
  readonly queueMs: number;
}

/** A network namespace of the lab. Loopback is up, forwarding is on, IPv6 is off. */
export class Namespace {
  /** As `ip netns` knows it. */
  readonly name: string;
  /** Its name within the lab, such as `core` or `segment1`. */
  readonly label: string;
  protected readonly scope: LabScope;

  /** Describes a namespace; `layNamespace` makes it. */
  constructor(scope: LabScope, label: string) {
    this.scope = scope;
    this.label = label;
    this.name = `${scope.prefix}-${label}`;
  }

  /** Runs a command to its end in here; a code other than 0 is a result, not an error. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return runCommand(this.#inside(argv), options);
  }

  /** Starts a process in here that lasts until it is stopped or the lab is disposed. */
  async start(argv: readonly string[], options: StartOptions = {}): Promise<Process> {
    const { name = argv[0]?.split('/').at(-1) ?? 'process', logFile, ...rest } = options;
    const log = resolve(this.scope.folder, logFile ?? `${this.label}-${name}.log`);
    const started = await Process.start(this.#inside(argv), { ...rest, name, logFile: log });
    this.scope.processes.add(started);
    void started.exit.then(() => this.scope.processes.delete(started));
    return started;
  }

  /** Runs `ip` commands in here, such as `link set eth0 up`. Throws at the first that fails. */
  async ip(...commands: readonly string[]): Promise<void> {
    await mustRun(['ip', '-n', this.name, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }

  /** What leaves by an interface from now on goes no faster. */
  async shape(networkInterface: string, { mbit, burstKib, queueMs }: LinkRate): Promise<void> {
    const rate = ['rate', `${mbit}mbit`, 'burst', `${burstKib}k`, 'latency', `${queueMs}ms`];
    const qdisc = ['tc', 'qdisc', 'replace', 'dev', networkInterface, 'root', 'tbf', ...rate];
    await mustRun(this.#inside(qdisc));
  }

  /**
   * Writes what passes an interface to `file` (pcap, in the lab's folder) until the process is stopped.
   * `filter` is tcpdump's. Resolves once it listens.
   */
  async capture(networkInterface: string, file: string, filter = ''): Promise<Process> {
    requireFor('capture');
    const path = join(this.scope.folder, file);
    // tcpdump would drop root and then could not write into the lab's folder.
    const argv = [
      'tcpdump',
      '-Z',
      'root',
      '-U',
      '--immediate-mode',
      '-n',
      '-i',
      networkInterface,
      '-w',
      path,
    ];
    const capture = await this.start([...argv, filter], { name: `tcpdump-${file}` });
    await capture.output.waitFor(/listening on/, 5000);
    return capture;
  }

  #inside(argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...argv];
  }
}

/** Makes the namespace that `described` describes. */
export async function layNamespace<T extends Namespace>(described: T): Promise<T> {
  await mustRun(['ip', 'netns', 'add', described.name]);
  await described.ip('link set lo up');
  const settings = [
    'net.ipv4.ip_forward=1',
    'net.ipv4.conf.all.send_redirects=0',
    'net.ipv4.conf.default.send_redirects=0',
    'net.ipv4.conf.all.rp_filter=0',
    'net.ipv4.conf.default.rp_filter=0',
    'net.ipv6.conf.all.disable_ipv6=1',
    'net.ipv6.conf.default.disable_ipv6=1',
  ];
  await mustRun(['ip', 'netns', 'exec', described.name, 'sysctl', '-q', '-w', ...settings]);
  return described;
}

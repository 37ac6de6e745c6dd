import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { program } from '../boot/index.ts';
import type { Bench, Measurement } from './bench.ts';
import type { LoadOrder, LoadResult } from './controller-load.ts';
import { cpuSeconds, whileIdle } from './cpu.ts';
import { benchFolder, endWithBench } from './remains.ts';

const EDGES = 1_000;
const MACHINES_OF_AN_EDGE = 100;
/** Of a wave of a rollout: every edge is told of each. */
const ARMED = 200;
const LIST_CALLS = 300;
const RECONNECTING = 200;
const JOURNAL_SECONDS = 5;
/** Of a host that has much else to do. */
const UP_MS = 180_000;

/** What the controller is held against. */
const BOUNDS = {
  desired_state_p99_s: 5,
  list_p99_ms: 100,
  /** Of so many edges at once as above. */
  reconnect_p99_s: 1,
  journal_records_s: 10_000,
  /** 1 GiB. What LMDB maps of its file counts as well. */
  resident_mb: 1073.7,
  start_s: 5,
};

/** A controller as a process of its own, on loopback. */
class RunningController {
  readonly pid: number;
  readonly url: string;
  readonly operatorToken: string | undefined;
  /** From its start to its word that it is up. */
  readonly startSeconds: number;
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    told: { url: string; token: string | undefined; seconds: number },
  ) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.url = told.url;
    this.operatorToken = told.token;
    this.startSeconds = told.seconds;
  }

  static async start(data: string): Promise<RunningController> {
    const startedAt = performance.now();
    const [node, ...argv] = program(
      ...['controller/server/main.ts', '--data', data, '--address', '127.0.0.1', '--port', '0'],
      ...['--swarm-port', '0'],
    );
    const child = endWithBench(spawn(node, argv, { stdio: ['ignore', 'pipe', 'inherit'] }));
    const timer = setTimeout(() => child.kill('SIGKILL'), UP_MS);
    let [url, token]: (string | undefined)[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as { operatorToken?: string; msg?: string; port?: number };
      token ??= told.operatorToken;
      if (told.msg === 'controller is up') url = `http://127.0.0.1:${told.port}`;
      // The first start prints the token before it is up.
      if (url !== undefined) break;
    }
    clearTimeout(timer);
    if (url === undefined) throw new Error(`the controller was not up within ${UP_MS / 1000} s`);
    child.stdout.resume();
    return new RunningController(child, { url, token, seconds: (performance.now() - startedAt) / 1000 });
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** The other side, in a process of its own. */
class Load {
  readonly #child = endWithBench(fork(fileURLToPath(new URL('controller-load.ts', import.meta.url))));
  readonly #died = once(this.#child, 'exit').then(() => [{ error: 'the generator ended' }]);

  async do(order: LoadOrder): Promise<LoadResult> {
    this.#child.send(order);
    const answered = once(this.#child, 'message');
    const [{ result, error }] = (await Promise.race([answered, this.#died])) as [
      { result?: LoadResult; error?: string },
    ];
    if (result === undefined) throw new Error(`${order.kind}: ${error}`);
    return result;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

/**
 * 1,000 edges and 100,000 machines over real HTTP, each measure against its bound. `generator_share` is the processor time of
 * the generator by the time that it took: near 1 it was the generator that was measured.
 */
export const controllerBench: Bench = {
  name: 'controller',
  summary: `${EDGES} edges and ${EDGES * MACHINES_OF_AN_EDGE} machines over HTTP, against the bounds of the controller`,
  better: {
    desired_state_p99_s: 'less',
    list_p99_ms: 'less',
    reconnect_p99_s: 'less',
    journal_records_s: 'more',
    resident_mb: 'less',
    start_s: 'less',
  },
  async prepare(say) {
    const folder = benchFolder('controller');
    const load = new Load();
    let controller: RunningController | undefined;
    const dispose = async (): Promise<void> => {
      load.end();
      await controller?.kill();
      rmSync(folder, { recursive: true, force: true });
    };
    try {
      controller = await RunningController.start(join(folder, 'data'));
      const { url, operatorToken = '', pid } = controller;
      say(`${EDGES} edges join, and a segment is added for every two of them`);
      await load.do({ kind: 'join', url, operatorToken, edges: EDGES });
      say(`each tells of ${MACHINES_OF_AN_EDGE} machines that nobody knew`);
      await load.do({ kind: 'discover', machines: MACHINES_OF_AN_EDGE });
      say(`${ARMED} machines are given an intent, and every edge follows its desired state`);
      await load.do({ kind: 'arm', machines: ARMED });
      await load.do({ kind: 'follow' });
      const inTurn = async (): Promise<Record<string, Measurement>> => {
        const startSeconds = await startOfCopy(join(folder, 'data'), folder);
        const cpuBefore = cpuSeconds([pid]);
        const startedAt = performance.now();
        const { result, idle } = await whileIdle(() => load.do({ kind: 'change' }));
        const share = (cpuSeconds([pid]) - cpuBefore) / ((performance.now() - startedAt) / 1000);
        const listed = await load.do({ kind: 'list', calls: LIST_CALLS });
        const reconnected = await load.do({ kind: 'reconnect', edges: RECONNECTING });
        const journaled = await load.do({ kind: 'journal', seconds: JOURNAL_SECONDS });
        const ours = {
          ...{ ...result, controller_share: share, idle, ...listed, ...reconnected, ...journaled },
          ...{ resident_mb: residentBytes(pid) / 1e6, start_s: startSeconds },
        };
        return { ours, bound: BOUNDS };
      };
      return { cases: [{ name: 'fleet', inTurn }], [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  },
};

/** How long another controller takes to start with as much to know. */
async function startOfCopy(data: string, folder: string): Promise<number> {
  const copy = join(folder, 'copy');
  const copied = spawn('cp', ['-r', data, copy], { stdio: 'inherit' });
  await once(copied, 'exit');
  const controller = await RunningController.start(copy);
  await controller.kill();
  rmSync(copy, { recursive: true });
  return controller.startSeconds;
}

/** Memory of a process that is in use now (proc_pid_status(5), VmRSS). */
function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

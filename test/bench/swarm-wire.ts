import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Endpoint } from '@bootswarm/images/swarm';
import type { Bench, Case, Measurement } from './bench.ts';
import { cpuSeconds, whileIdle } from './cpu.ts';
import { benchFolder, endWithBench } from './remains.ts';
import {
  type ArgvOf,
  aria2,
  type Laid,
  layImage,
  libtorrent,
  ours,
  trackerAnswer,
  webtorrent,
} from './swarm-clients.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const HOST = '127.0.0.1';
const CASES = { 'one-to-one': 1, 'one-to-four': 4 } as const;
/** The seed listens here, and who fetches on the ports that follow: below those that Linux gives to connections. */
const FIRST_PORT = 23_300;
const PATIENCE_MS = 180_000;

interface Client {
  /** Whether it says `ready` and waits for a line before it does anything. */
  readonly waits?: true;
  readonly argv: ArgvOf;
}

/** Pieces over BitTorrent on loopback, seed and machines in processes of their own, from page cache to a file. */
export const swarmWireBench: Bench = {
  name: 'swarm-wire',
  summary:
    '1 GiB of pieces of 1 MiB from one seed to one machine, and to four, against aria2, libtorrent, webtorrent',
  better: { mb_per_s: 'more', seed_cpu_s_per_gib: 'less', fetch_cpu_s_per_gib: 'less' },
  async prepare(say) {
    say('laying out 1 GiB and its torrent');
    const folder = benchFolder('swarm');
    const tracker = createServer();
    const dispose = async (): Promise<void> => {
      tracker.close();
      tracker.closeAllConnections();
      await rm(folder, { recursive: true });
    };
    try {
      await serveTracker(tracker);
      const announce = `http://${HOST}:${(tracker.address() as AddressInfo).port}/announce`;
      const laid = await layImage(folder, { bytes: GIB, pieceBytes: MIB, announce });
      const cases = Object.entries(CASES).map(
        ([name, machines]): Case => ({
          name,
          subjects: Object.fromEntries(
            Object.entries(CLIENTS).map(([subject, client]) => [
              subject,
              () => measure(folder, laid, client, machines),
            ]),
          ),
        }),
      );
      return { cases, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  },
};

const CLIENTS: Readonly<Record<string, Client>> = {
  ours: { waits: true, argv: ours },
  aria2: { argv: aria2 },
  libtorrent: { waits: true, argv: libtorrent },
  webtorrent: { argv: webtorrent },
};

/** A tracker that names the ports at which the bench starts its clients; who is not there yet is tried again. */
async function serveTracker(server: ReturnType<typeof createServer>): Promise<void> {
  const body = trackerAnswer(endpoints(1 + Math.max(...Object.values(CASES))));
  server.on('request', (_, response) => response.end(body));
  server.listen(0, HOST);
  await once(server, 'listening');
}

function endpoints(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, place) => ({ host: HOST, port: FIRST_PORT + place }));
}

async function measure(folder: string, laid: Laid, client: Client, machines: number): Promise<Measurement> {
  const place = (turn: number): string => join(folder, `machine-${turn}`);
  const started: ChildProcess[] = [];
  const [seedAt, ...machinesAt] = endpoints(machines + 1) as [Endpoint, ...Endpoint[]];
  try {
    const seed = await start(
      client,
      client.argv(laid, { role: 'seed', folder: laid.seed, listen: seedAt, others: [] }),
      started,
    );
    seed.go();
    await seed.complete;
    warmMemory(join(folder, 'warm'), machines);
    const fetching: Started[] = [];
    const fetch = async (listen: Endpoint, turn: number): Promise<void> => {
      mkdirSync(place(turn));
      const others = [seedAt, ...machinesAt.filter((other) => other !== listen)];
      const argv = client.argv(laid, { role: 'fetch', folder: place(turn), listen, others });
      fetching[turn] = await start(client, argv, started);
    };
    const startAll = (): Promise<unknown> => Promise.all(machinesAt.map(fetch));
    if (client.waits) await startAll();
    const pidsBefore = fetching.map(({ pid }) => pid);
    const [seedBefore, fetchBefore] = [cpuSeconds([seed.pid]), cpuSeconds(pidsBefore)];
    const startedAt = performance.now();
    const { idle } = await whileIdle(async () => {
      if (!client.waits) await startAll();
      for (const machine of fetching) machine.go();
      await Promise.all(fetching.map(({ complete }) => complete));
    });
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      mb_per_s: (machines * GIB) / 1e6 / seconds,
      seed_cpu_s_per_gib: (cpuSeconds([seed.pid]) - seedBefore) / machines,
      fetch_cpu_s_per_gib: (cpuSeconds(fetching.map(({ pid }) => pid)) - fetchBefore) / machines,
      idle,
    };
  } finally {
    await Promise.all(started.map(stop));
    for (let turn = 0; turn < machines; turn++) rmSync(place(turn), { recursive: true, force: true });
  }
}

/**
 * Takes as much of the page cache as the machines will, and gives it back. A virtual machine's host may have taken free
 * memory away: the first touch then costs 4 s of CPU a GiB, ten times what writing costs, and falls on whoever is first.
 */
function warmMemory(path: string, gibibytes: number): void {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(MIB, 1);
  for (let at = 0; at < gibibytes * GIB; at += MIB) writeSync(file, block);
  closeSync(file);
  rmSync(path);
}

interface Started {
  readonly pid: number;
  readonly complete: Promise<void>;
  go(): void;
}

async function start(client: Client, argv: readonly string[], started: ChildProcess[]): Promise<Started> {
  const [command = '', ...rest] = argv;
  const child = endWithBench(spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] }));
  started.push(child);
  const [ready, complete] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let said = '';
  const fail = (why: string): void => {
    const error = new Error(`${command} ${why}\n${said}`);
    ready.reject(error);
    complete.reject(error);
  };
  const timer = setTimeout(() => fail('did not complete'), PATIENCE_MS);
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      said = `${said}${line}\n`.slice(-4000);
      if (line === 'ready') ready.resolve();
      if (line === 'complete') complete.resolve();
    });
  child.on('error', (error) => fail(error.message));
  child.on('exit', () => {
    clearTimeout(timer);
    fail('ended before its time');
  });
  // Told where it is awaited.
  complete.promise.catch(() => {});
  if (!client.waits) ready.resolve();
  await ready.promise;
  return { pid: child.pid ?? 0, complete: complete.promise, go: () => child.stdin.write('go\n') };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { torrentDigestOf, torrentFile } from '@bootswarm/images/format';
import type { Bench, Case, Measurement } from './bench.ts';
import { cpuSeconds, whileIdle } from './cpu.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const NAME = 'root.squashfs';
const CASES = { 'one-to-one': 1, 'one-to-four': 4 } as const;
/** The seed listens here, and who fetches on the ports that follow: below those that Linux gives to connections. */
const FIRST_PORT = 23_300;
const PATIENCE_MS = 180_000;

/** Commands of one client: as a seed, and fetching. Each says `complete` on a line of its own when it has everything. */
interface Client {
  /** Whether it says `ready` and waits for a line before it does anything. */
  readonly waits?: true;
  argv(
    role: 'seed' | 'fetch',
    place: { readonly folder: string; readonly ports: readonly number[] },
  ): readonly string[];
}

interface Laid {
  readonly folder: string;
  readonly torrent: string;
  readonly artefact: string;
  readonly infohash: string;
  /** A program that says `complete`. */
  readonly sayComplete: string;
}

/** Pieces over BitTorrent on loopback, seed and machines in processes of their own, from page cache to a file. */
export const swarmWireBench: Bench = {
  name: 'swarm-wire',
  summary: '1 GiB of pieces of 1 MiB from one seed to one machine, and to four, against aria2 and libtorrent',
  better: { mb_per_s: 'more', seed_cpu_s_per_gib: 'less', fetch_cpu_s_per_gib: 'less' },
  async prepare(say) {
    say('laying out 1 GiB and its torrent');
    const folder = await mkdtemp(join(tmpdir(), 'bootswarm-bench-swarm-'));
    const tracker = createServer();
    const dispose = async (): Promise<void> => {
      tracker.close();
      tracker.closeAllConnections();
      await rm(folder, { recursive: true });
    };
    try {
      await serveTracker(tracker);
      const laid = await lay(folder, (tracker.address() as AddressInfo).port);
      const cases = Object.entries(CASES).map(
        ([name, machines]): Case => ({
          name,
          subjects: Object.fromEntries(
            Object.entries(clients(laid)).map(([subject, client]) => [
              subject,
              () => measure(laid, client, machines),
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

function clients(laid: Laid): Readonly<Record<string, Client>> {
  return {
    ours: {
      waits: true,
      argv: (role, { folder, ports }) => [
        process.execPath,
        fileURLToPath(new URL('./swarm-peer.ts', import.meta.url)),
        role,
        laid.artefact,
        laid.infohash,
        join(folder, NAME),
        ...ports.map(String),
      ],
    },
    aria2: {
      argv: (_, { folder, ports }) => [
        'aria2c',
        '--no-conf',
        '--enable-dht=false',
        '--enable-dht6=false',
        '--bt-enable-lpd=false',
        '--enable-peer-exchange=false',
        '--file-allocation=none',
        '--bt-seed-unverified=true',
        '--allow-overwrite=true',
        '--seed-ratio=0.0',
        '--summary-interval=0',
        '--console-log-level=notice',
        '--disable-ipv6=true',
        `--on-bt-download-complete=${laid.sayComplete}`,
        `--stop-with-process=${process.pid}`,
        `--dir=${folder}`,
        `--listen-port=${ports[0]}`,
        laid.torrent,
      ],
    },
    libtorrent: {
      argv: (role, { folder, ports }) => [
        '/usr/bin/python3',
        '-c',
        LIBTORRENT,
        role,
        laid.torrent,
        folder,
        ...ports.map(String),
      ],
    },
  };
}

const LIBTORRENT = `
import os, sys, time
import libtorrent as lt
role, torrent, folder, port, *others = sys.argv[1:]
session = lt.session({'listen_interfaces': '127.0.0.1:' + port, 'enable_dht': False, 'enable_lsd': False,
  'enable_upnp': False, 'enable_natpmp': False, 'allow_multiple_connections_per_ip': True,
  'enable_outgoing_utp': False, 'enable_incoming_utp': False, 'alert_mask': 0})
parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = folder
parameters.trackers = []
if role == 'seed': parameters.flags |= lt.torrent_flags.seed_mode
handle = session.add_torrent(parameters)
parent = os.getppid()
while not handle.status().is_seeding and os.getppid() == parent:
  for other in others: handle.connect_peer(('127.0.0.1', int(other)))
  for _ in range(20):
    time.sleep(0.02)
    if handle.status().is_seeding: break
print('complete', flush=True)
while os.getppid() == parent: time.sleep(1)
`;

async function lay(folder: string, trackerPort: number): Promise<Laid> {
  const seed = join(folder, 'seed');
  mkdirSync(seed);
  const path = join(seed, NAME);
  const file = openSync(path, 'w');
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < GIB; at += MIB) writeSync(file, randomFillSync(block));
  closeSync(file);
  const { sha1Pieces, ...digest } = await torrentDigestOf(createReadStream(path));
  const announce = `http://127.0.0.1:${trackerPort}/announce`;
  const { infohash, bytes } = torrentFile({ name: NAME, ...digest, sha1Pieces, announce });
  const [torrent, artefact] = [join(folder, 'root.torrent'), join(folder, 'artefact.json')];
  writeFileSync(torrent, bytes);
  writeFileSync(artefact, JSON.stringify({ role: 'root', name: NAME, ...digest }));
  const sayComplete = join(folder, 'complete.sh');
  writeFileSync(sayComplete, '#!/bin/sh\necho complete\n', { mode: 0o755 });
  return { folder, torrent, artefact, infohash, sayComplete };
}

/** A tracker that names the ports at which the bench starts its clients; who is not there yet is tried again. */
async function serveTracker(server: ReturnType<typeof createServer>): Promise<void> {
  const ports = Array.from(
    { length: 1 + Math.max(...Object.values(CASES)) },
    (_, place) => FIRST_PORT + place,
  );
  const peers = Buffer.concat(ports.map((port) => Buffer.from([127, 0, 0, 1, port >> 8, port & 255])));
  const body = Buffer.concat([Buffer.from(`d8:intervali5e5:peers${peers.length}:`), peers, Buffer.from('e')]);
  server.on('request', (_, response) => response.end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

async function measure(laid: Laid, client: Client, machines: number): Promise<Measurement> {
  const place = (turn: number): string => join(laid.folder, `machine-${turn}`);
  const started: ChildProcess[] = [];
  const ports = Array.from({ length: machines + 1 }, (_, turn) => FIRST_PORT + turn);
  try {
    const seed = await start(
      client,
      client.argv('seed', { folder: join(laid.folder, 'seed'), ports: ports.slice(0, 1) }),
      started,
    );
    seed.go();
    await seed.complete;
    warmMemory(join(laid.folder, 'warm'), machines);
    const fetching: Started[] = [];
    const fetch = async (port: number, turn: number): Promise<void> => {
      mkdirSync(place(turn));
      const others = ports.filter((other) => other !== port);
      const argv = client.argv('fetch', { folder: place(turn), ports: [port, ...others] });
      fetching[turn] = await start(client, argv, started);
    };
    const startAll = (): Promise<unknown> => Promise.all(ports.slice(1).map(fetch));
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
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
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

/**
 * A machine of the swarm as a program of its own, for tests across namespaces: `node peer.ts PLAN`, a `PeerPlan` as
 * JSON. It prints `joined PORT`, then `complete` or `failed WHY`, and goes on giving until it is stopped. For each line
 * that it is sent it prints what it knows, a `PeerReport` as JSON.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { type Artefact, pieceRange } from '@bootswarm/images/format';
import {
  type ArtefactSource,
  type Endpoint,
  FilePieces,
  keepAnnouncing,
  type PieceStore,
  type RateLimits,
  SwarmNode,
  type SwarmStats,
} from '@bootswarm/images/swarm';

export interface PeerPlan {
  /** Path of the artefact as JSON, its infohash with it. */
  readonly artefact: string;
  /** Whether the file holds all of it already. */
  readonly isSeed: boolean;
  /** Of the file. */
  readonly path: string;
  /** Another copy, known to be right: every piece that is stored is compared with it. */
  readonly original: string;
  readonly port: number;
  /** How the addresses of the segment begin; others are not let in. */
  readonly allowed: string;
  readonly isEdge?: boolean;
  readonly trackerUrl?: string;
  /** Of the whole artefact, by HTTP. */
  readonly webseedUrl?: string;
  /** Peers to begin with, beside those of the tracker. */
  readonly neighbours?: readonly Endpoint[];
  readonly rateLimits?: RateLimits;
}

export interface PeerReport {
  readonly stats: SwarmStats;
  /** Pieces that were given to the store although they were wrong. */
  readonly wrongWrites: readonly number[];
  /** The longest time between two turns of the event loop, and the most work in one, since it was last asked. */
  readonly delayMs: number;
  readonly workMs: number;
  readonly residentBytes: number;
}

/** The announcer has this ID, which no other peer sees. */
const ANNOUNCED_AS = Buffer.from('-BW0001-'.padEnd(20, String(process.pid)));
const LOOK_MS = 1;

async function takePart(plan: PeerPlan): Promise<void> {
  const artefact = JSON.parse(readFileSync(plan.artefact, 'utf8')) as Artefact;
  const { infohash = '' } = artefact;
  const node = await SwarmNode.listen({
    port: plan.port,
    isAllowed: (address) => address.startsWith(plan.allowed),
  });
  const pieces = plan.isSeed
    ? await FilePieces.whole(artefact, plan.path)
    : await FilePieces.resume(artefact, plan.path);
  const wrongWrites: number[] = [];
  const store = compared(pieces, artefact, plan.original, wrongWrites);
  const { isEdge = false, rateLimits = {}, webseedUrl } = plan;
  const swarm = node.join(artefact, infohash, store, {
    isEdge,
    rateLimits,
    ...(webseedUrl === undefined ? {} : { webseed: httpSource(webseedUrl) }),
  });
  reportWhenAsked(() => ({ stats: swarm.stats(), wrongWrites }));
  swarm.addPeers(plan.neighbours ?? []);
  if (plan.trackerUrl !== undefined)
    void keepAnnouncing(
      {
        trackerUrl: plan.trackerUrl,
        infohash,
        peerId: ANNOUNCED_AS,
        port: node.port,
        leftBytes: () => leftBytes(artefact, store),
        finished: swarm.completed,
        onPeers: (peers) => swarm.addPeers(peers),
        onFailure: (error) => say(`tracker: ${error.message}`),
      },
      new AbortController().signal,
    );
  say(`joined ${node.port}`);
  await swarm.completed;
  await pieces.sync();
  say('complete');
}

function leftBytes(artefact: Artefact, { have }: PieceStore): number {
  if (have.isWhole) return 0;
  let left = artefact.length;
  for (let index = 0; index < have.length; index++) {
    const { start, end } = pieceRange(artefact, index);
    if (have.has(index)) left -= end - start;
  }
  return left;
}

/** A store that notes what it is given wrongly, as the swarm should never do, and stores it all the same. */
function compared(store: PieceStore, artefact: Artefact, original: string, wrong: number[]): PieceStore {
  return {
    have: store.have,
    read: (index, into) => store.read(index, into),
    write: (index, bytes) => {
      const right = Buffer.alloc(bytes.length);
      const file = openSync(original, 'r');
      readSync(file, right, 0, right.length, pieceRange(artefact, index).start);
      closeSync(file);
      if (!right.equals(bytes)) wrong.push(index);
      return store.write(index, bytes);
    },
  };
}

function httpSource(url: string): ArtefactSource {
  return {
    read: async (_, { start, end }, signal) => {
      const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` }, signal });
      if (response.status !== 206 || !response.body) throw new Error(`${url} answered ${response.status}`);
      return response.body;
    },
  };
}

function reportWhenAsked(know: () => Pick<PeerReport, 'stats' | 'wrongWrites'>): void {
  const delay = monitorEventLoopDelay({ resolution: LOOK_MS });
  delay.enable();
  let workMs = 0;
  let last = process.cpuUsage();
  setInterval(() => {
    const { user, system } = process.cpuUsage(last);
    workMs = Math.max(workMs, (user + system) / 1000);
    last = process.cpuUsage();
  }, LOOK_MS);
  createInterface({ input: process.stdin })
    .on('line', () => {
      const report: PeerReport = {
        ...know(),
        delayMs: delay.max / 1e6,
        workMs,
        residentBytes: process.memoryUsage.rss(),
      };
      delay.reset();
      workMs = 0;
      say(JSON.stringify(report));
    })
    // It does not outlive who started it.
    .on('close', () => process.exit());
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (import.meta.main) {
  const plan = JSON.parse(process.argv[2] ?? '') as PeerPlan;
  takePart(plan).catch((error: Error) => {
    say(`failed ${error.message}`);
    // A machine whose disk fails has nothing to give either; it is asked what it knows all the same.
    process.exitCode = 1;
  });
}

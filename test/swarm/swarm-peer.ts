import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artefact } from '@bootswarm/images/format';
import { program } from '../boot/index.ts';
import type { Host, Process, Segment } from '../lab/index.ts';
import type { PeerPlan, PeerReport } from './peer.ts';

/** An artefact that peers share, as files of the lab. */
export interface SharedArtefact {
  readonly artefact: Artefact;
  /** Path of its bytes. */
  readonly original: string;
  /** Path of it as JSON. */
  readonly json: string;
}

/** Writes down what peers must know of an artefact. @param bytes of it. */
export function shareArtefact(folder: string, artefact: Artefact, bytes: Uint8Array): SharedArtefact {
  const [original, json] = [join(folder, 'shared'), join(folder, 'shared.json')];
  writeFileSync(original, bytes);
  writeFileSync(json, JSON.stringify(artefact));
  return { artefact, original, json };
}

export type PeerOptions = Partial<Omit<PeerPlan, 'artefact' | 'original' | 'allowed'>> & {
  /** Of the file, unless `path` says where it is. */
  readonly folder: string;
  /** Its file is on a disk of its own, of so many MiB. */
  readonly diskMib?: number;
};

/** Where our own peers listen, unless they are told otherwise. */
export const PEER_PORT = 6881;
const JOINED_MS = 20_000;
const REPORT_MS = 10_000;

/** A peer of ours on a host of the lab, in a process of its own. */
export class SwarmPeer {
  readonly process: Process;
  readonly path: string;
  readonly #shared: SharedArtefact;

  private constructor(process: Process, path: string, shared: SharedArtefact) {
    this.process = process;
    this.path = path;
    this.#shared = shared;
  }

  /** Starts one on a host of a segment. Resolves when it takes part. */
  static async start(
    host: Host,
    { subnet }: Segment,
    shared: SharedArtefact,
    { folder, diskMib, ...options }: PeerOptions,
  ): Promise<SwarmPeer> {
    const disk = join(folder, `${host.label}-disk`);
    const fileFolder = diskMib === undefined ? folder : disk;
    const { isSeed = false, path = join(fileFolder, `${host.label}-root`) } = options;
    if (isSeed && options.path === undefined) copyFileSync(shared.original, path);
    const plan: PeerPlan = {
      ...{ artefact: shared.json, original: shared.original, port: PEER_PORT },
      allowed: subnet.address(0).replace(/\d+$/, ''),
      ...{ ...options, isSeed, path },
    };
    const argv = program('test/swarm/peer.ts', JSON.stringify(plan));
    // Each process of a namespace has mounts of its own: the disk goes when it ends.
    const mount = `mkdir -p "$0" && mount -t tmpfs -o size=${diskMib}m tmpfs "$0" && exec "$@"`;
    const onDisk = diskMib === undefined ? argv : ['sh', '-c', mount, disk, ...argv];
    const started = await host.start(onDisk, { name: 'peer' });
    await started.waitForLine(/^joined /, JOINED_MS);
    return new SwarmPeer(started, path, shared);
  }

  /** Resolves when it has everything, and says so. @throws with its last words, where it fails or is too slow. */
  async complete(timeoutMs: number): Promise<void> {
    const line = await this.process.waitForLine(/^(complete|failed)/, timeoutMs);
    if (line !== 'complete') throw new Error(`${this.process.name}: ${line}`);
  }

  /** Whether its file is the artefact, byte by byte. */
  get isExact(): boolean {
    return readFileSync(this.path).equals(readFileSync(this.#shared.original));
  }

  /** What it knows now. */
  async report(): Promise<PeerReport> {
    const { output } = this.process;
    const since = output.text.length;
    this.process.write('report\n');
    const [line] = await output.waitFor(/^\{"stats".*\}$/m, REPORT_MS, since);
    return JSON.parse(line) as PeerReport;
  }
}

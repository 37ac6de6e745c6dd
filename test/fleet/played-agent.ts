import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstallOrder } from '@bootswarm/controller/contract';
import {
  Agent,
  type AgentParts,
  EdgeClient,
  ReleaseFetch,
  type ReleaseSource,
  Status,
} from '@bootswarm/images/agent';
import { Problem, releaseId } from '@bootswarm/images/format';
import { openHttp } from './http-get.ts';
import {
  type Behaviour,
  behaviourFor,
  diskSerialOf,
  factsOf,
  inspectionOf,
  type MachineSpec,
  MEMORY_BYTES,
} from './machine-spec.ts';

/** What is on the disk of a machine once it was installed. */
export interface InstalledDisk {
  readonly release: string;
  readonly epoch: number;
  readonly firstBootUrl: string;
  readonly does: Behaviour;
}

export interface PlayedAgentParts {
  readonly spec: MachineSpec;
  readonly address: string;
  readonly edgeUrl: string;
  /** The content of root.json in the initramfs. */
  readonly trustRoot: string;
  /** For what it verified, as long as it runs. */
  readonly folder: string;
  /** Milliseconds of each step of an installation: of a server these are seconds to minutes. */
  readonly stepMs: number;
  /** Told what was written, and undefined once it was wiped. */
  readonly onDisk: (disk: InstalledDisk | undefined) => void;
  readonly say: (line: string) => void;
  /** Cuts its power. */
  readonly signal: AbortSignal;
}

const VERSION = 'played';
const KERNEL = '6.1.0-played';
const SLOW_STEPS = 20;
const INSTALL_PLAN = (release: string, disk: string): string => `install ${release} to sda (serial ${disk})`;

/**
 * The real agent on a machine whose disks are played: what it tells its edge, when and in which words is its own. Of a
 * release it verifies the manifest and the last piece of the root; the rest is not fetched, and no neighbour is asked.
 * @returns what ended it: a reboot, or a live system that took over. @throws the signal's reason.
 */
export async function runAgent(parts: PlayedAgentParts): Promise<'reboot' | 'live'> {
  const { spec, address, edgeUrl, signal, say } = parts;
  const folder = mkdtempSync(join(parts.folder, `${spec.name}-`));
  const startedAt = performance.now();
  const uptimeSeconds = (): number => (performance.now() - startedAt) / 1000;
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, signal]);
  let ending: 'reboot' | 'live' = 'reboot';
  const end = (how: typeof ending): void => {
    ending = how;
    over.abort();
  };
  const releases = (): Promise<ReleaseFetch> =>
    ReleaseFetch.open(folder, parts.trustRoot, sourceOf(edgeUrl, address));
  const play: AgentParts = {
    edge: new EdgeClient(edgeUrl, until, address),
    status: new Status({ uuid: spec.uuid, version: VERSION, kernel: KERNEL }, say, uptimeSeconds),
    about: async () => ({
      mac: spec.mac,
      uuid: spec.uuid,
      addresses: [address],
      version: VERSION,
      kernel: KERNEL,
      memoryBytes: MEMORY_BYTES,
      uptimeSeconds: uptimeSeconds(),
    }),
    facts: async () => factsOf(spec),
    inspect: async () => inspectionOf(spec, new Date().toISOString()),
    kernelLog: async () => [],
    verify: async (reference) => (await releases()).manifestOf(reference, until),
    install: (order, begun) => install(order, begun, parts, releases, until),
    giveOn: async () => {},
    wipe: async ({ disks }, { begin, progress }) => {
      const wiped = disks === 'all' ? diskSerialOf(spec) : disks.join(', ');
      progress.begin('wipe', wiped);
      await begin(`wipe ${wiped}`);
      await sleep(parts.stepMs, undefined, { signal: until });
      parts.onDisk(undefined);
      return `wiped ${wiped}`;
    },
    reboot: async () => end('reboot'),
    live: async (release, progress) => {
      progress.begin('fetch', release);
      await fetchRoot(await releases(), release, until);
    },
    handOver: () => end('live'),
    rescue: async () => {},
    signal: until,
  };
  try {
    await new Agent(play).run();
  } catch (error) {
    if (!until.aborted) throw error;
  } finally {
    over.abort();
    rmSync(folder, { recursive: true, force: true });
  }
  signal.throwIfAborted();
  return ending;
}

type Begun = Parameters<AgentParts['install']>[1];

async function install(
  order: InstallOrder,
  { begin, progress }: Begun,
  { spec, stepMs, onDisk }: PlayedAgentParts,
  releases: () => Promise<ReleaseFetch>,
  signal: AbortSignal,
): Promise<void> {
  const { release, epoch, firstBootUrl } = order;
  const does = behaviourFor(spec, release);
  const pass = (steps = 1): Promise<void> => sleep(steps * stepMs, undefined, { signal });
  progress.begin('verify', release);
  const source = await releases();
  await source.manifestOf(release, signal);
  await begin(INSTALL_PLAN(release, diskSerialOf(spec)));
  // From here on nothing boots from the disk until all of it is done.
  onDisk(undefined);
  progress.begin('partition', 'sda');
  await pass();
  progress.begin('fetch', release);
  progress.bytes(...(await fetchRoot(source, release, signal)));
  await pass(does === 'slow' ? SLOW_STEPS : 1);
  progress.begin('boot-loader', 'sda');
  await pass();
  if (does === 'fails') throw badRelease(release);
  onDisk({ release, epoch, firstBootUrl, does });
}

/** @returns how many bytes it has, of how many. */
async function fetchRoot(
  source: ReleaseFetch,
  release: string,
  signal: AbortSignal,
): Promise<[done: number, total: number]> {
  const manifest = await source.manifestOf(release, signal);
  const root = manifest.artefacts.find(({ role }) => role === 'root' || role === 'disk');
  if (!root) throw new Error(`${releaseId(manifest)} has no root`);
  for await (const _ of source.pieces(root, signal, root.pieces.length - 1));
  return [root.length, root.length];
}

/** As an agent says it of a real one. */
function badRelease(release: string): Problem {
  return new Problem(
    {
      code: 'program_failed',
      message: `make the new system bootable: grub-install ended with code 1. Its last lines: ${release} has no boot loader`,
      remedy: 'Publish a release with a boot loader, and arm the intent anew.',
    },
    500,
  );
}

/** As the agent's own source, but from the address of this machine. */
function sourceOf(edgeUrl: string, from: string): ReleaseSource {
  return {
    trustFile: async (name, signal) => {
      const response = await openHttp(`${edgeUrl}/trust/${name}`, { from, signal });
      if (response.statusCode === 200) return response;
      response.resume();
      if (response.statusCode === 404) return undefined;
      throw new Error(`${name}: status ${response.statusCode}`);
    },
    artefact: async ({ sha256, name }, start, signal) => {
      const url = `${edgeUrl}/artefacts/${sha256}/${name}`;
      const response = await openHttp(url, { from, signal, start });
      if (response.statusCode === 206 || response.statusCode === 200) return response;
      response.resume();
      throw new Error(`${url}: status ${response.statusCode}`);
    },
  };
}

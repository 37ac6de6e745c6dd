import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { type Artefact, findArtefact, type Manifest, releaseId } from '@bootswarm/images/format';
import { type FetchParts, fetchToPath } from '../install/fetch-root.ts';
import { Mounts } from '../install/mounts.ts';
import type { Programs } from '../install/run-program.ts';
import { networkChanges, networkKind } from '../install/system/network.ts';
import { SystemRoot } from '../install/system-root.ts';
import { mountSystem } from '../install/unpack.ts';
import { problem } from './problems.ts';

/** What a system wants beside its root: for itself, and for what it writes. */
const BESIDE_BYTES = 512 * 2 ** 20;
const STORE = '/run/bootswarm/live';
/** Where the new root is; nothing of the mini image has this name. */
const NEW_ROOT = '/new';
/** The first process looks for it when the agent has ended, and makes its content the root (build/mini/init). */
const HANDOFF = '/run/bootswarm/switch-root';

export interface LiveParts extends FetchParts {
  readonly release: string;
  readonly manifestOf: (release: string, signal: AbortSignal) => Promise<Manifest>;
  readonly programs: Programs;
  /** Bytes that can be had without swapping. */
  readonly availableBytes: () => Promise<number>;
  /** Of the card that the machine booted by. */
  readonly mac: string;
  readonly kernelRelease: string;
  /** Told of the root once the system is ready: this process ends, and cannot give it any longer. */
  readonly onRoot: (root: Artefact, path: string) => Promise<void>;
}

/**
 * Puts the root of a release into memory, verified piece by piece, and makes a system of it that forgets what it
 * writes. What is left is to end: the first process goes on with `NEW_ROOT`. The kernel stays the mini image's, so that its
 * drivers go along.
 * @throws Problem of problems.ts here, of releases and of installations.
 */
export async function prepareLive(parts: LiveParts): Promise<void> {
  const { release, manifestOf, signal, programs, say, mac, kernelRelease } = parts;
  const manifest = await manifestOf(release, signal);
  const root = findArtefact(manifest, 'root');
  if (!root) throw problem('live_root_missing', { facts: { release: releaseId(manifest) } });
  const available = await parts.availableBytes();
  const needed = root.length + BESIDE_BYTES;
  if (available < needed) throw problem('live_memory_short', { facts: { release, needed, available } });

  const mounts = new Mounts(programs);
  try {
    // Of its own size: half of the memory, which is what one has unless said, may be too little.
    await mounts.mount('tmpfs', STORE, { type: 'tmpfs', options: `size=${needed},mode=0700` }, signal);
    const image = `${STORE}/root.img`;
    await fetchToPath(root, image, parts);
    const { folder: lower } = await mountSystem(image, manifest, { mounts, signal });
    await mkdir(`${STORE}/upper`);
    await mkdir(`${STORE}/work`);
    const options = `lowerdir=${lower},upperdir=${STORE}/upper,workdir=${STORE}/work`;
    await mounts.mount('overlay', NEW_ROOT, { type: 'overlay', options }, signal);

    const system = new SystemRoot(NEW_ROOT);
    if (!system.has('/sbin/init')) throw problem('live_init_missing', { facts: { release } });
    const kind = networkKind(system);
    const machine = { mac, address: '', prefixLength: 32, dnsServers: [] };
    if (kind !== undefined) await system.apply(networkChanges(system, kind, machine, 'dhcp'));
    await takeDrivers(system, kernelRelease);
    // Last: a process that has the root open would keep it mounted after a failure.
    await parts.onRoot(root, image);
    await parts.neighbours?.end();
    await writeFile(HANDOFF, NEW_ROOT);
    say(`${release} is in memory; it takes over`);
  } catch (error) {
    await parts.neighbours?.end();
    await mounts.unmount(AbortSignal.timeout(30_000)).catch((cause: Error) => say(cause.message));
    throw error;
  }
}

/** The drivers of the kernel that runs, where the release has none for it. */
async function takeDrivers(system: SystemRoot, kernelRelease: string): Promise<void> {
  const own = `/usr/lib/modules/${kernelRelease}`;
  if (system.has(`/lib/modules/${kernelRelease}`) || !existsSync(own)) return;
  await cp(own, system.at(`/lib/modules/${kernelRelease}`), { recursive: true });
}

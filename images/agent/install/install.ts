import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { type Artefact, findArtefact, type Manifest, Problem, releaseId } from '@bootswarm/images/format';
import {
  type DevicePaths,
  type DiskFacts,
  type DiskPlan,
  deviceOf,
  isRefusal,
  planText,
} from '@bootswarm/images/install';
import type { FoundDisk } from '../inspect/collect-disks.ts';
import { forbidBoot, writeBootCode } from './boot-code.ts';
import {
  entriesOf,
  mountEsps,
  nameBootLoader,
  removeBootEntries,
  writeBootEntries,
  writeBootLoader,
} from './boot-loader.ts';
import { diskFailure } from './disk-failure.ts';
import { arrayLines, loadDrivers, prepareDisks, releaseDisks, syncDisks } from './disks.ts';
import { type FetchParts, fetchToPath } from './fetch-root.ts';
import { ImageHold } from './image-hold.ts';
import { installDiskImage } from './install-disk-image.ts';
import { clearMounts, Mounts } from './mounts.ts';
import { NewSystem, requireNoLack, runHooks } from './new-system.ts';
import { isSamePlan, planMachine } from './plan-machine.ts';
import { problem } from './problems.ts';
import type { Progress } from './progress.ts';
import { type BootHashes, forgetCaches, hashBoot, headBytesOf, requireSame } from './read-back.ts';
import type { Programs } from './run-program.ts';
import { systemArguments } from './system/boot-config.ts';
import { diskChanges, machineChanges } from './system/configure.ts';
import { initramfsCommand } from './system/kernels.ts';
import { diskLack, machineLack } from './system/needs.ts';
import { SystemRoot } from './system-root.ts';
import type { InstallTerms } from './terms.ts';
import { unpackRoot } from './unpack.ts';

const TARGET = '/mnt/target';
const KERNEL_FILE = '/run/bootswarm/kernel';
/** There from the first write on: an agent that starts anew finds by it that another one ended within its work. */
const WRITING = '/run/bootswarm/writing';
/** Cleaning up after a failure has its own time: what failed may have been a disk that answers nothing. */
const CLEAN_MS = 120_000;

export interface InstallParts extends Omit<FetchParts, 'onBytes'> {
  readonly order: InstallTerms;
  readonly firmware: DiskFacts['firmware'];
  /** The verified manifest of a release. */
  readonly manifestOf: (release: string, signal: AbortSignal) => Promise<Manifest>;
  /** The disks as they are now. */
  readonly findDisks: () => Promise<readonly FoundDisk[]>;
  /** Tells whoever decides what will be written, and resolves when it may be. */
  readonly begin: (plan: string) => Promise<void>;
  readonly progress: Progress;
  readonly programs: Programs;
}

/**
 * Installs a release to the disks of this machine: when it resolves, the machine boots it from there. Nothing is
 * written, and no hook runs, before `begin` has resolved, and the last thing that is written is what makes the machine boot it.
 * @throws Problem of problems.ts, of releases, or a refusal of the plan, under its own code.
 */
export async function install(parts: InstallParts): Promise<void> {
  const mounts = new Mounts(parts.programs);
  const run = new Installation(parts, mounts);
  try {
    await run.all();
  } catch (error) {
    await parts.neighbours?.end();
    const signal = AbortSignal.timeout(CLEAN_MS);
    await mounts.unmount(signal).catch((cause: Error) => parts.say(`left mounted: ${cause.message}`));
    if (run.isWriting)
      await releaseDisks({ ...parts, signal }).catch((cause: Error) => parts.say(cause.message));
    throw diskFailure(parts.progress.now?.step ?? 'the installation', error);
  }
}

class Installation {
  readonly #parts: InstallParts;
  readonly #mounts: Mounts;
  /** From the first moment on in which disks are not what they were. */
  isWriting = false;

  constructor(parts: InstallParts, mounts: Mounts) {
    this.#parts = parts;
    this.#mounts = mounts;
  }

  async all(): Promise<void> {
    const { order, progress, say, signal } = this.#parts;
    progress.begin('verify', order.release);
    const manifest = await this.#manifest();
    const root = findArtefact(manifest, 'root');
    const disk = findArtefact(manifest, 'disk');
    const artefact = root ?? disk;
    if (!artefact) throw problem('release_not_installable', { facts: { release: order.release } });
    if (!root && order.profile.layout.disks.length > 1)
      throw problem('disk_image_one_disk', { facts: { release: order.release } });

    progress.begin('plan', 'look at the disks');
    await loadDrivers(this.#parts);
    if (existsSync(WRITING)) await this.#clearLeftOvers();
    const imageBytes = root ? artefact.length : 0;
    const planned = await this.#plan(imageBytes);
    const target = planned.disks[0];
    // Of one that is compressed, how long it is will be seen as it comes.
    if (!root && target && artefact.length > target.disk.sizeBytes)
      throw problem('disk_image_too_large', { facts: { disk: target.name, size: target.disk.sizeBytes } });
    const text = planText(planned, !root);
    for (const line of text.split('\n')) say(line);
    progress.begin('begin', 'ask whether it may be written');
    await this.#parts.begin(text);
    // One that reboots or hangs the machine has used its try up.
    const { before } = order.profile.hooks;
    if (before.length > 0) {
      progress.begin('hooks-before', `${before.length} hooks`);
      await runHooks(before, 'before', undefined, say, signal);
    }

    progress.begin('partition', 'look at the disks again, and lay them out');
    const plan = await this.#plan(imageBytes);
    if (!isSamePlan(planned, plan))
      throw problem('disks_changed', { facts: { found: plan.disks.map(({ name }) => name).join(', ') } });
    const paths = { disks: plan.disks.map(({ name }) => `/dev/${name}`) };
    this.isWriting = true;
    await mkdir('/run/bootswarm', { recursive: true });
    await writeFile(WRITING, '');
    await releaseDisks(this.#parts);
    await removeBootEntries(this.#parts);
    await forbidBoot(paths);
    if (root) await this.#installRoot(root, manifest, plan, paths);
    else
      await installDiskImage(manifest, plan, paths, {
        ...this.#parts,
        ...this.#fetchParts(),
        mounts: this.#mounts,
        target: TARGET,
      });
    progress.begin('end', progress.text);
  }

  /** Of an agent that was killed: what it mounted, and arrays and volumes that hold the disks. */
  async #clearLeftOvers(): Promise<void> {
    const { programs, say, signal } = this.#parts;
    say('an agent before this one ended while it was writing; taking down what it left');
    const own = ['hold', 'image', 'image2', 'inner', 'esp2'].map((name) => `/run/bootswarm/${name}`);
    await clearMounts([TARGET, ...own], programs, signal);
    await releaseDisks(this.#parts);
  }

  async #manifest(): Promise<Manifest> {
    const { order, manifestOf, signal } = this.#parts;
    const manifest = await manifestOf(order.release, signal);
    const found = releaseId(manifest);
    if (found !== order.release)
      throw problem('release_another', { facts: { wanted: order.release, found } });
    return manifest;
  }

  async #plan(imageBytes: number): Promise<DiskPlan> {
    const { order, firmware, findDisks } = this.#parts;
    const plan = planMachine({ firmware, found: await findDisks(), order, imageBytes });
    if (!isRefusal(plan)) return plan;
    const { refused, message, remedy } = plan;
    throw new Problem({ code: refused, message, remedy }, 422);
  }

  async #installRoot(root: Artefact, manifest: Manifest, plan: DiskPlan, paths: DevicePaths): Promise<void> {
    const { order, progress, programs, say, signal } = this.#parts;
    const mounts = this.#mounts;
    await prepareDisks(plan, paths, this.#parts);
    progress.begin('mount', TARGET);
    await this.#mount(plan, paths, '');
    await this.#fetchAndUnpack(root, manifest);

    progress.begin('configure', 'make it the system of this machine');
    await this.#mountEsp(plan, paths);
    const system = new NewSystem(new SystemRoot(TARGET), programs, say, signal);
    const kernels = await system.kernels(findArtefact(manifest, 'kernel'), (kernel) =>
      this.#fetchKernel(kernel),
    );
    requireNoLack(machineLack(system.root, order.profile) ?? diskLack(system.root, kernels, plan));
    const lines = await arrayLines(plan, this.#parts);
    await system.root.apply(machineChanges(system.root, order));
    await system.root.apply(diskChanges(system.root, order, plan, lines));
    await system.open(mounts);
    if (system.root.has('/usr/bin/ssh-keygen')) await system.run('make host keys', ['ssh-keygen', '-A']);

    for (const kernel of kernels) {
      const command = initramfsCommand(system.root, kernel);
      progress.begin('initramfs', kernel.release);
      if (command) await system.run(`make the initramfs of ${kernel.release}`, command);
    }
    const { after } = order.profile.hooks;
    if (after.length > 0) {
      progress.begin('hooks-after', `${after.length} hooks`);
      await system.hooks(after);
    }
    progress.begin('boot-loader', plan.bootLoader);
    // What a boot loader may start is there before it.
    await this.#sync(paths);
    const kernelArguments = systemArguments(system.root, plan, order.profile.kernelArguments);
    const espFolders = await mountEsps(plan, paths, TARGET, mounts, signal);
    const bootCode = await writeBootLoader({
      ...this.#parts,
      plan,
      paths,
      system,
      kernels,
      kernelArguments,
      espFolders,
      mounts,
    });

    await this.#sync(paths);
    progress.begin('hash', 'what the machine boots from');
    const written = await this.#hashes(espFolders, plan, paths);
    progress.begin('unmount', 'let the disks have all of it');
    await mounts.unmount(signal);
    await this.#readBack(written, plan, paths);
    progress.begin('boot-entry', 'tell the firmware');
    // A BIOS has no boot entries: the code of the MBR is what makes it boot a disk.
    if (bootCode) await writeBootCode(bootCode);
    else await this.#tellFirmware(plan, paths);
    await this.#sync(paths);
  }

  async #fetchAndUnpack(root: Artefact, manifest: Manifest): Promise<void> {
    const { progress, programs, say, signal } = this.#parts;
    const mounts = this.#mounts;
    const hold = new ImageHold(this.#fetchParts(), mounts);
    // Hidden on the new root, and gone before that is looked at.
    const path = await hold.fetch(root, `${TARGET}/.bootswarm-${root.name}`);
    progress.begin('unpack', root.name);
    const onBytes = (done: number): void => progress.bytes(done);
    await unpackRoot(path, TARGET, manifest, { programs, mounts, say, signal, onBytes });
    await hold.letGo();
  }

  async #fetchKernel(kernel: Artefact): Promise<string> {
    await mkdir('/run/bootswarm', { recursive: true });
    await fetchToPath(kernel, KERNEL_FILE, this.#fetchParts());
    return KERNEL_FILE;
  }

  #fetchParts(): FetchParts & Pick<InstallParts, 'progress'> {
    return { ...this.#parts, onBytes: (done, total) => this.#parts.progress.bytes(done, total) };
  }

  /** Everything but EFI system partitions, which refuse owners and modes. */
  async #mount(plan: DiskPlan, paths: DevicePaths, options: string): Promise<void> {
    const depth = (mount: string): number => mount.split('/').filter((part) => part !== '').length;
    const mounted = plan.fileSystems.flatMap((each) =>
      each.mount === undefined || each.type === 'vfat' ? [] : [{ ...each, mount: each.mount }],
    );
    for (const each of mounted.toSorted((a, b) => depth(a.mount) - depth(b.mount)))
      await this.#mounts.mount(
        deviceOf(plan, each, paths),
        each.mount === '/' ? TARGET : TARGET + each.mount,
        { type: each.type, ...(options === '' ? {} : { options }) },
        this.#parts.signal,
      );
  }

  async #mountEsp(plan: DiskPlan, paths: DevicePaths, options?: string): Promise<void> {
    const esp = plan.fileSystems.find(({ type }) => type === 'vfat');
    if (esp?.mount === undefined) return;
    const how = { type: 'vfat', ...(options === undefined ? {} : { options }) };
    await this.#mounts.mount(deviceOf(plan, esp, paths), TARGET + esp.mount, how, this.#parts.signal);
  }

  async #readBack(written: BootHashes, plan: DiskPlan, paths: DevicePaths): Promise<void> {
    const { progress, signal } = this.#parts;
    progress.begin('read-back', `${written.size} files that it boots from`);
    await this.#sync(paths);
    await forgetCaches();
    await this.#mount(plan, paths, 'ro');
    await this.#mountEsp(plan, paths, 'ro');
    const espFolders = await mountEsps(plan, paths, TARGET, this.#mounts, signal);
    requireSame(written, await this.#hashes(espFolders, plan, paths));
    await this.#mounts.unmount(signal);
    await releaseDisks(this.#parts);
  }

  async #tellFirmware(plan: DiskPlan, paths: DevicePaths): Promise<void> {
    const { signal } = this.#parts;
    await this.#mountEsp(plan, paths);
    await nameBootLoader(await mountEsps(plan, paths, TARGET, this.#mounts, signal));
    await this.#sync(paths);
    await this.#mounts.unmount(signal);
    await writeBootEntries(entriesOf(plan, paths), this.#parts);
  }

  /** /boot has the first EFI system partition under it; the others have their own folders. */
  #hashes(espFolders: readonly string[], plan: DiskPlan, { disks }: DevicePaths): Promise<BootHashes> {
    const others = espFolders.slice(1).map((folder) => [folder, folder] as const);
    const folders = Object.fromEntries([['/boot', new SystemRoot(TARGET).at('/boot')], ...others]);
    return hashBoot(folders, { paths: disks, headBytes: headBytesOf(plan) }, this.#parts.signal);
  }

  #sync(paths: DevicePaths): Promise<void> {
    return syncDisks(paths, this.#parts);
  }
}

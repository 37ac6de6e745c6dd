import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DevicePaths, type DiskPlan, partitionPath } from '@bootswarm/images/install';
import { decodeEfiVariables, type EfiFacts } from '../inspect/efi-variables.ts';
import { type BootCode, MBR_CODE_BYTES, readBootCode, withoutStart, withStart } from './boot-code.ts';
import type { Mounts } from './mounts.ts';
import type { NewSystem } from './new-system.ts';
import { problem } from './problems.ts';
import type { Programs } from './run-program.ts';
import {
  EFI_FOLDERS,
  efiStub,
  extlinuxConfig,
  GRUB_CONFIG,
  isUsableMenu,
  mkconfigCommand,
  ownMenu,
  rootUuid,
} from './system/boot-config.ts';
import { bootOrderWith, createCommand, LOADERS, staleEntries, type WantedEntry } from './system/efi-boot.ts';
import type { InstalledKernel } from './system/kernels.ts';
import { firstOf } from './system/view.ts';

/** Debian's signed pair in the mini image; both work without Secure Boot, too. */
const SHIM = '/usr/lib/shim/shimx64.efi.signed';
const MOK_TOOL = '/usr/lib/shim/mmx64.efi.signed';
const SIGNED_GRUB = '/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed';
const VARIABLES = '/sys/firmware/efi/efivars';
/** Of EFI's own variables: UEFI 2.10, section 3.3. */
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SYSLINUX_FOLDERS = [
  '/usr/lib/syslinux/mbr',
  '/usr/lib/EXTLINUX',
  '/usr/share/syslinux',
  '/usr/lib/syslinux',
];
const GRUB_FOLDER = '/usr/lib/grub/i386-pc';
/** The same for grub-install, but for its first sector. */
const HELD_FOLDER = '/run/bootswarm/grub-i386-pc';

export interface BootLoaderParts {
  readonly plan: DiskPlan;
  readonly paths: DevicePaths;
  readonly system: NewSystem;
  readonly kernels: readonly InstalledKernel[];
  readonly kernelArguments: readonly string[];
  /** Where the EFI system partitions are mounted, by the plan's disks; none on a BIOS. */
  readonly espFolders: readonly string[];
  readonly programs: Programs;
  readonly mounts: Mounts;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Puts a boot loader on every disk of the plan, and its menu into the new system. Nothing starts it yet.
 * @returns what makes a BIOS start it; undefined with UEFI, whose firmware is told.
 */
export async function writeBootLoader(parts: BootLoaderParts): Promise<BootCode | undefined> {
  const { plan, espFolders } = parts;
  if (plan.bootLoader === 'extlinux') return writeExtlinux(parts);
  await writeMenu(parts);
  if (plan.firmware === 'bios') return installGrub(parts);
  for (const folder of espFolders) await writeEsp(folder, plan);
  return undefined;
}

async function installGrub({ paths, system, programs, say, signal }: BootLoaderParts): Promise<BootCode> {
  const image = await readFile(join(GRUB_FOLDER, 'boot.img'));
  await rm(HELD_FOLDER, { recursive: true, force: true });
  await mkdir(HELD_FOLDER, { recursive: true });
  for (const name of await readdir(GRUB_FOLDER))
    if (name === 'boot.img') await writeFile(join(HELD_FOLDER, name), withoutStart(image));
    else await symlink(join(GRUB_FOLDER, name), join(HELD_FOLDER, name));
  const codes = new Map<string, Buffer>();
  for (const disk of paths.disks) {
    await programs.run(
      [
        'grub-install',
        ...['--target=i386-pc', `--directory=${HELD_FOLDER}`, `--boot-directory=${system.root.at('/boot')}`],
        ...['--no-floppy', '--recheck', '--locales=', '--fonts=', '--themes=', disk],
      ],
      { what: `write GRUB to ${disk}`, signal, say },
    );
    codes.set(disk, withStart(await readBootCode(disk), image));
  }
  // For whoever installs GRUB anew in the new system.
  await writeFile(system.root.at('/boot/grub/i386-pc/boot.img'), image);
  return codes;
}

async function writeMenu({ plan, system, kernels, kernelArguments, say }: BootLoaderParts): Promise<void> {
  await mkdir(system.root.at('/boot/grub'), { recursive: true });
  const command = mkconfigCommand(system.root);
  if (command) {
    const problemOf = await system.run('write the menu of GRUB', command).then(
      () => undefined,
      (error: Error) => error,
    );
    if (!problemOf && isUsableMenu(system.root.read(GRUB_CONFIG) ?? '', rootUuid(plan))) return;
    say(`the menu that the image writes is not for our GRUB: ${problemOf?.message ?? 'it names no kernel'}`);
  }
  const menu = ownMenu(plan, kernels, kernelArguments);
  await writeFile(system.root.at(GRUB_CONFIG), menu, { mode: 0o600 });
}

/** What firmware starts without being told, and what it is called until there is something whole to start. */
const [REMOVABLE, NOT_YET] = ['BOOTX64.EFI', 'BOOTX64.NEW'];

/** Gives the boot loader of each EFI system partition the name by which firmware finds it by itself. */
export async function nameBootLoader(espFolders: readonly string[]): Promise<void> {
  for (const folder of espFolders) {
    const place = join(folder, EFI_FOLDERS.removable);
    await rename(join(place, NOT_YET), join(place, REMOVABLE));
  }
}

async function writeEsp(folder: string, plan: DiskPlan): Promise<void> {
  const stub = efiStub(plan);
  for (const [name, shim] of [
    [EFI_FOLDERS.own, 'shimx64.efi'],
    [EFI_FOLDERS.removable, NOT_YET],
  ] as const) {
    const place = join(folder, name);
    await mkdir(place, { recursive: true });
    await copyFile(SHIM, join(place, shim));
    await copyFile(MOK_TOOL, join(place, 'mmx64.efi'));
    await copyFile(SIGNED_GRUB, join(place, 'grubx64.efi'));
    await writeFile(join(place, 'grub.cfg'), stub);
  }
  await mkdir(join(folder, EFI_FOLDERS.grub), { recursive: true });
  await writeFile(join(folder, EFI_FOLDERS.grub, 'grub.cfg'), stub);
}

/** SYSLINUX on a BIOS: its code comes from the image, whose package the profile asks for. */
async function writeExtlinux(parts: BootLoaderParts): Promise<BootCode> {
  const { plan, paths, system, kernels, kernelArguments, programs, signal } = parts;
  const [disk = ''] = paths.disks;
  const name = plan.table === 'gpt' ? 'gptmbr.bin' : 'mbr.bin';
  const code = firstOf(
    system.root,
    SYSLINUX_FOLDERS.map((folder) => `${folder}/${name}`),
  );
  if (code === undefined || plan.firmware === 'uefi')
    throw problem('image_lacks', {
      facts: {
        lacks: plan.firmware === 'uefi' ? 'extlinux for UEFI' : name,
        purpose: 'the boot loader of the layout',
      },
    });
  await mkdir(system.root.at('/boot/extlinux'), { recursive: true });
  await system.run('write extlinux', ['extlinux', '--install', '/boot/extlinux']);
  await writeFile(
    system.root.at('/boot/extlinux/extlinux.conf'),
    extlinuxConfig(plan, kernels, kernelArguments),
  );
  const boot = plan.disks[0]?.partitions.find(({ name: each }) => each === bootPartition(plan));
  if (plan.table === 'gpt' && boot)
    // Bit 2, "legacy BIOS bootable" (UEFI 2.10, table 5.8), is what gptmbr.bin looks for.
    await programs.run(['sgdisk', `--attributes=${boot.number}:set:2`, disk], {
      what: 'mark the boot partition',
      signal,
    });
  const bytes = Buffer.alloc(MBR_CODE_BYTES);
  bytes.set((await readFile(system.root.at(code))).subarray(0, MBR_CODE_BYTES));
  return new Map([[disk, bytes]]);
}

function bootPartition({ fileSystems }: DiskPlan): string {
  const boot =
    fileSystems.find(({ mount }) => mount === '/boot') ?? fileSystems.find(({ mount }) => mount === '/');
  return boot?.on.name ?? 'root';
}

/** What the boot menu of the firmware calls the new system. */
export const OWN_ENTRY = 'Bootswarm';

type FirmwareParts = Pick<BootLoaderParts, 'programs' | 'say' | 'signal'>;
type FirmwareCommand = readonly ['efibootmgr', ...string[]];

/**
 * Takes the entries of an installation before away, as the first thing: where this is the second try of the same one,
 * its partitions have the same identities, and they would start what is not whole yet.
 * @throws Problem boot_entry_refused
 */
export async function removeBootEntries(parts: FirmwareParts): Promise<void> {
  for (const number of staleEntries(await efiFacts(), [OWN_ENTRY, `${OWN_ENTRY} (disk 2)`]))
    await tellFirmware('remove a boot entry', ['efibootmgr', '--bootnum', number, '--delete-bootnum'], parts);
}

/** A boot entry for each disk of a plan, in their order. Pure. */
export function entriesOf(plan: DiskPlan, paths: DevicePaths): readonly WantedEntry[] {
  return plan.disks.flatMap(({ partitions }, index): readonly WantedEntry[] => {
    const esp = partitions.find(({ role }) => role === 'esp');
    const disk = paths.disks[index];
    if (!esp || disk === undefined) return [];
    const label = index === 0 ? OWN_ENTRY : `${OWN_ENTRY} (disk ${index + 1})`;
    return [{ label, disk, partition: esp.number, loader: LOADERS.own }];
  });
}

/**
 * Tells the firmware of the new system, as the last thing. The first of the entries is for the next boot.
 * @throws Problem boot_entry_refused
 */
export async function writeBootEntries(wanted: readonly WantedEntry[], parts: FirmwareParts): Promise<void> {
  const run = (what: string, argv: FirmwareCommand): Promise<void> => tellFirmware(what, argv, parts);
  const before = await efiFacts();
  const made: string[] = [];
  for (const entry of wanted) {
    const known = await entryNumbers();
    await run(`make boot entry ${entry.label}`, createCommand(entry));
    made.push(...(await entryNumbers()).filter((number) => !known.includes(number)));
  }
  if (made.length === 0) throw problem('boot_entry_refused', { facts: { reason: 'it keeps none' } });
  const order = bootOrderWith(before.bootOrder, made).join(',');
  await run('set the boot order', ['efibootmgr', '--bootorder', order]);
  await run('set the next boot', ['efibootmgr', '--bootnext', made[0] ?? '']);
  parts.say(`boot entries ${made.join(', ')}; boot order ${order}`);
}

async function tellFirmware(
  what: string,
  argv: FirmwareCommand,
  { programs, say, signal }: FirmwareParts,
): Promise<void> {
  try {
    await programs.run(argv, {
      what,
      signal,
      say: (line) => (/error|fail/i.test(line) ? say(line) : undefined),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw problem('boot_entry_refused', { facts: { reason: (error as Error).message }, cause: error });
  }
}

async function efiFacts(): Promise<EfiFacts> {
  const numbers = await entryNumbers();
  const values = new Map<string, Uint8Array>();
  for (const name of ['BootOrder', 'SecureBoot', 'SetupMode', ...numbers.map((number) => `Boot${number}`)]) {
    const value = await readFile(`${VARIABLES}/${name}-${GLOBAL}`).catch(() => undefined);
    if (value) values.set(name, value);
  }
  return decodeEfiVariables((name) => values.get(name));
}

async function entryNumbers(): Promise<readonly string[]> {
  const names = await readdir(VARIABLES).catch(() => []);
  return names.flatMap((name) => /^Boot([0-9A-F]{4})-/.exec(name)?.[1] ?? []);
}

/** Mounts the EFI system partitions of every disk but the first, whose own is in the new system. @returns all folders. */
export async function mountEsps(
  plan: DiskPlan,
  paths: DevicePaths,
  target: string,
  mounts: Mounts,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (plan.firmware === 'bios') return [];
  const folders = [`${target}/boot/efi`];
  for (const [index, { partitions }] of plan.disks.entries()) {
    const esp = partitions.find(({ role }) => role === 'esp');
    if (index === 0 || !esp) continue;
    const folder = `/run/bootswarm/esp${index + 1}`;
    await mounts.mount(partitionPath(paths.disks[index] ?? '', esp.number), folder, { type: 'vfat' }, signal);
    folders.push(folder);
  }
  return folders;
}

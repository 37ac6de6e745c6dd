import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Inspection } from '@bootswarm/controller/contract';
import type { Programs } from '../install/run-program.ts';
import { bmcFrom } from './bmc.ts';
import { collectDisks } from './collect-disks.ts';
import { decodeEfiVariables } from './efi-variables.ts';
import type { LldpNeighbour } from './lldp.ts';
import { hearNeighbours } from './lldp-ears.ts';
import { type NetworkCard, networkCardFrom } from './network-cards.ts';
import { parseCpuinfo, parseMemTotal } from './processor.ts';
import { decodeSmbios, type SmbiosFacts } from './smbios.ts';

/** A card that was just switched on finds its link within this, or has none. */
const LINK_MS = 6_000;
const LOOK_MS = 500;
/** Of one card, as many as a report may tell of: a switch is one, and a hub or a forger may be many. */
const NEIGHBOURS_MOST = 16;

export interface InspectOptions {
  readonly programs: Programs;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** All that can be found out about this machine. Writes to no disk; cards that were off are on afterwards. */
export async function inspect({ programs, signal, say }: InspectOptions): Promise<Inspection> {
  const efi = await readEfi();
  const smbios = decodeSmbios((await bytesOf('/sys/firmware/dmi/tables/DMI')) ?? new Uint8Array());
  const [cards, disks] = await Promise.all([
    collectCards({ programs, signal, say }),
    collectDisks({ programs, signal }),
  ]);
  const bmc = smbios.hasBmc || (await has('/dev/ipmi0')) ? await bmcOf(programs, signal, say) : undefined;
  const { processors: _, memory, hasBmc: __, boardManufacturer: ___, ...system } = smbios;
  return {
    format: 1,
    takenAt: new Date().toISOString(),
    firmware: efi === undefined ? 'bios' : 'uefi',
    ...(process.arch === 'x64' ? { architecture: 'amd64' } : {}),
    ...(process.arch === 'arm64' ? { architecture: 'arm64' } : {}),
    ...(efi === undefined ? {} : { secureBoot: efi.secureBoot }),
    bootOrder: [...(efi?.bootOrder ?? [])],
    system: systemOf(system),
    processors: parseCpuinfo((await textOf('/proc/cpuinfo')) ?? ''),
    memory: {
      totalBytes: parseMemTotal((await textOf('/proc/meminfo')) ?? '') ?? 0,
      modules: [...memory],
    },
    disks: disks.map(({ disk }) => disk),
    cards,
    pci: await collectPci(),
    ...(bmc === undefined ? {} : { bmc }),
  };
}

/** Without the UUID where it is none of the form that the contract has. */
function systemOf({
  uuid,
  ...rest
}: Omit<SmbiosFacts, 'processors' | 'memory' | 'hasBmc'>): Inspection['system'] {
  return uuid === undefined ? rest : { ...rest, uuid: uuid.toLowerCase() };
}

async function collectCards({ programs, signal, say }: InspectOptions): Promise<Inspection['cards']> {
  const names = (await readCards()).map(({ name }) => name);
  // Without this neither carrier nor speed can be read.
  for (const name of names)
    await programs
      .run(['ip', 'link', 'set', 'dev', name, 'up'], { what: `switch ${name} on`, signal })
      .catch((error: Error) => say(error.message));
  for (
    let waited = 0;
    waited < LINK_MS && (await readCards()).some(({ hasLink }) => !hasLink);
    waited += LOOK_MS
  )
    await sleep(LOOK_MS, undefined, { signal });
  const linked = (await readCards()).filter(({ hasLink }) => hasLink).map(({ name }) => name);
  say(`listening to switches on ${linked.join(', ') || 'no card: none has a link'}`);
  const heard = await hearNeighbours(linked, { programs, signal, say });
  const found = await readCards();
  return found.map((card) => ({
    ...card,
    neighbours: (heard.get(card.name) ?? []).slice(0, NEIGHBOURS_MOST).map(neighbourOf),
  }));
}

function neighbourOf(heard: LldpNeighbour): Inspection['cards'][number]['neighbours'][number] {
  const { chassis, port, portDescription, systemName, systemDescription, managementAddress, vlan } = heard;
  return {
    chassis,
    port,
    ...(portDescription === undefined ? {} : { portDescription }),
    ...(systemName === undefined ? {} : { systemName }),
    ...(systemDescription === undefined ? {} : { systemDescription }),
    ...(managementAddress === undefined ? {} : { managementAddress }),
    ...(vlan === undefined ? {} : { vlan }),
  };
}

async function readCards(): Promise<readonly NetworkCard[]> {
  const cards = await Promise.all(
    (await list('/sys/class/net')).map(async (name) => {
      const at = join('/sys/class/net', name);
      const files = ['address', 'type', 'speed', 'carrier', 'device/vendor', 'device/device'];
      const values = new Map(
        await Promise.all(files.map(async (file) => [file, await textOf(join(at, file))] as const)),
      );
      const device = await deviceOf(at);
      return networkCardFrom(name, (file) => values.get(file), {
        device,
        driver: await linkOf(join(at, 'device/driver')),
      });
    }),
  );
  return cards.filter((card) => card !== undefined);
}

/** The PCI address of a card; of one behind a bus such as virtio's, that of the device that carries it. */
async function deviceOf(card: string): Promise<string | undefined> {
  const device = await linkOf(join(card, 'device'));
  if (device === undefined || !device.startsWith('virtio')) return device;
  const target = await readlink(join('/sys/bus/virtio/devices', device)).catch(() => '');
  return target.split('/').at(-2) ?? device;
}

async function collectPci(): Promise<Inspection['pci']> {
  const at = '/sys/bus/pci/devices';
  const devices = await Promise.all(
    (await list(at)).slice(0, 4096).map(async (address) => {
      const [vendor, device, kind] = await Promise.all(
        ['vendor', 'device', 'class'].map(async (file) =>
          ((await textOf(join(at, address, file))) ?? '').replace(/^0x/, ''),
        ),
      );
      const driver = await linkOf(join(at, address, 'driver'));
      const shown = { address, id: `${vendor}:${device}`, class: kind ?? '' };
      return driver === undefined ? shown : { ...shown, driver };
    }),
  );
  return devices;
}

async function bmcOf(
  programs: Programs,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Inspection['bmc']> {
  try {
    const { stdout } = await programs.run(['ipmitool', 'lan', 'print'], {
      what: 'ask the baseboard controller for its address',
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    });
    return bmcFrom(stdout);
  } catch (error) {
    if (signal.aborted) throw error;
    // A board may have none behind its table, and the virtual flavour has no tool for it.
    say(`the baseboard controller was not asked: ${(error as Error).message}`);
    return undefined;
  }
}

const EFI_VARIABLES = '/sys/firmware/efi/efivars';
/** Of the variables that the specification itself names. */
const EFI_GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';

/** @returns undefined on a BIOS. */
async function readEfi(): Promise<ReturnType<typeof decodeEfiVariables> | undefined> {
  if (!(await has('/sys/firmware/efi'))) return undefined;
  const names = (await list(EFI_VARIABLES)).filter((name) => name.endsWith(EFI_GLOBAL));
  const values = new Map(
    await Promise.all(
      names.map(
        async (name) =>
          [name.slice(0, -EFI_GLOBAL.length - 1), await bytesOf(join(EFI_VARIABLES, name))] as const,
      ),
    ),
  );
  return decodeEfiVariables((name) => values.get(name));
}

async function list(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).toSorted();
}

async function has(folder: string): Promise<boolean> {
  return (await list(join(folder, '..'))).includes(basename(folder));
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined);
}

async function textOf(path: string): Promise<string | undefined> {
  return (await bytesOf(path))?.toString('utf8').trim();
}

async function linkOf(path: string): Promise<string | undefined> {
  return readlink(path).then(basename, () => undefined);
}

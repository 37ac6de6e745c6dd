import type { AgentFacts, Inspection } from '@bootswarm/controller/contract';

/** How an installation goes: `fails` before its boot entry, `silent` never says that it is up, `slow` takes its time. */
export type Behaviour = 'ok' | 'fails' | 'silent' | 'slow';

/** What a played machine does with the releases whose id begins so; the first that fits holds. */
interface Conduct {
  /** `web/2` is every architecture of that version; empty is every release. */
  readonly release: string;
  readonly does: Behaviour;
}

/** A machine that is played: what its firmware, its agent and its disks say of themselves. */
export interface MachineSpec {
  readonly name: string;
  readonly mac: string;
  readonly uuid: string;
  readonly serial: string;
  readonly firmware: 'bios' | 'uefi';
  readonly conduct: readonly Conduct[];
}

const GIB = 2 ** 30;
const DISK_BYTES = 480 * GIB;
export const MEMORY_BYTES = 64 * GIB;
const MAKER = { manufacturer: 'Bootswarm', product: 'Played 1U' } as const;

/** The `n`th of a rack, from 1: all that tells it from the others follows from the number. */
export function specOf(n: number, changes: Partial<MachineSpec> = {}): MachineSpec {
  if (!Number.isInteger(n) || n < 1 || n > 0xffff) throw new RangeError(`there is no machine ${n}`);
  const digits = n.toString(16).padStart(4, '0');
  return {
    name: `m${n}`,
    mac: `52:54:00:f1:${digits.slice(0, 2)}:${digits.slice(2)}`,
    uuid: `b0075a4a-0000-4000-8000-00000000${digits}`,
    serial: `PLAYED${String(n).padStart(5, '0')}`,
    firmware: n % 2 === 0 ? 'uefi' : 'bios',
    conduct: [],
    ...changes,
  };
}

export function diskSerialOf({ serial }: Pick<MachineSpec, 'serial'>): string {
  return `${serial}-SSD`;
}

export function behaviourFor({ conduct }: Pick<MachineSpec, 'conduct'>, release: string): Behaviour {
  return conduct.find((each) => release.startsWith(each.release))?.does ?? 'ok';
}

/** What its agent sees without looking closer. */
export function factsOf({ serial, firmware, mac }: MachineSpec): AgentFacts {
  return {
    ...MAKER,
    serial,
    firmware,
    processors: 16,
    cards: [{ name: 'eth0', mac, driver: 'played', hasLink: true }],
    disks: [{ name: 'sda', bytes: DISK_BYTES, model: 'Played SSD' }],
  };
}

/** What its agent finds out. @param takenAt ISO 8601 in UTC. */
export function inspectionOf(spec: MachineSpec, takenAt: string): Inspection {
  const { serial, uuid, firmware, mac } = spec;
  return {
    format: 1,
    takenAt,
    firmware,
    ...(firmware === 'uefi' ? { secureBoot: 'off' as const } : {}),
    bootOrder: [],
    system: { ...MAKER, serial, uuid },
    processors: { model: 'Played CPU', sockets: 1, cores: 8, threads: 16 },
    memory: { totalBytes: MEMORY_BYTES, modules: [{ slot: 'DIMM 0', sizeMib: MEMORY_BYTES / 2 ** 20 }] },
    disks: [
      {
        name: 'sda',
        sizeBytes: DISK_BYTES,
        sectorBytes: 512,
        model: 'Played SSD',
        serial: diskSerialOf(spec),
        byPath: [],
        isRotational: false,
        isRemovable: false,
        isReadOnly: false,
        isBusy: false,
        holds: [],
      },
    ],
    cards: [{ name: 'eth0', mac, driver: 'played', speedMbitPerS: 10_000, hasLink: true, neighbours: [] }],
    pci: [],
  };
}

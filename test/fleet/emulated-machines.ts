import { join } from 'node:path';
import { DISK_BYTES, diskArguments, emptyDisk, type MachineDisk } from '../boot/index.ts';
import type { Machine, Segment } from '../lab/index.ts';
import type { MachineSpec } from './machine-spec.ts';
import { listenForPower, type PowerAnswer, type PowerCommand } from './power-line.ts';

export type EmulatedSpec = Pick<MachineSpec, 'name' | 'mac' | 'uuid' | 'serial' | 'firmware'>;

/** Machines in QEMU, each with an empty disk, whose power is switched as that of played ones is. They go with the lab. */
export class EmulatedMachines {
  readonly specs: readonly EmulatedSpec[];
  /** Where their power is switched. */
  readonly socket: string;
  readonly #segment: Segment;
  readonly #disks: ReadonlyMap<string, MachineDisk>;
  readonly #running = new Map<string, Machine>();

  private constructor(
    segment: Segment,
    specs: readonly EmulatedSpec[],
    socket: string,
    disks: ReadonlyMap<string, MachineDisk>,
  ) {
    this.specs = specs;
    this.socket = socket;
    this.#segment = segment;
    this.#disks = disks;
  }

  /** All of them are off. @param folder for their disks. */
  static async start(
    segment: Segment,
    folder: string,
    specs: readonly EmulatedSpec[],
  ): Promise<EmulatedMachines & AsyncDisposable> {
    const disks = specs.map(
      ({ name, serial }) => [name, emptyDisk(join(folder, `${name}.raw`), serial, DISK_BYTES)] as const,
    );
    const socket = join(folder, 'emulated-power');
    const machines = new EmulatedMachines(segment, specs, socket, new Map(disks));
    const server = await listenForPower(socket, (command) => machines.#carryOut(command));
    return Object.assign(machines, {
      [Symbol.asyncDispose]: async () => {
        server.close();
        for (const { name } of specs) await machines.#powerOff(name);
      },
    });
  }

  /** undefined while it is off. */
  running(name: string): Machine | undefined {
    return this.#running.get(name);
  }

  async #carryOut({ machine, do: deed }: PowerCommand): Promise<PowerAnswer> {
    const spec = this.specs.find(({ name, mac, uuid, serial }) =>
      [name, mac, uuid, serial].includes(machine),
    );
    if (!spec) return { ok: false, error: `no machine ${machine} is emulated here` };
    if (deed === 'off' || deed === 'cycle') await this.#powerOff(spec.name);
    if (deed === 'on' || deed === 'cycle') await this.#powerOn(spec);
    return { ok: true, power: this.#running.has(spec.name) ? 'on' : 'off' };
  }

  async #powerOn({ name, mac, uuid, serial, firmware }: EmulatedSpec): Promise<void> {
    if (this.#running.has(name)) return;
    const disk = this.#disks.get(name);
    const machine = await this.#segment.startMachine({
      ...{ name, mac, uuid, serial, firmware },
      extraArguments: disk === undefined ? [] : diskArguments([disk]),
    });
    this.#running.set(name, machine);
  }

  async #powerOff(name: string): Promise<void> {
    const machine = this.#running.get(name);
    this.#running.delete(name);
    await machine?.powerOff();
  }
}

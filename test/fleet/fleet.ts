import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, type Site } from '../boot/index.ts';
import type { Process, Segment } from '../lab/index.ts';
import type { MachineSpec } from './machine-spec.ts';
import type { PlayedEvent, PlayOrder } from './machines.ts';
import { type PowerCommand, switchPower } from './power-line.ts';

const UP_MS = 20_000;
/** Of the host that plays, beside pools from 100 on. */
const HOST_NUMBER = 9;

export interface FleetOptions {
  readonly machines: readonly MachineSpec[];
  /** Milliseconds of each step of an installation; 300 unless said. */
  readonly stepMs?: number;
}

/** Machines that are played in a segment of a lab, by one process. They go with the lab. */
export class Fleet {
  readonly machines: readonly MachineSpec[];
  /** Where their power is switched. */
  readonly socket: string;
  readonly process: Process;

  private constructor(machines: readonly MachineSpec[], socket: string, process: Process) {
    this.machines = machines;
    this.socket = socket;
    this.process = process;
  }

  /** All of them are off. @param site whose releases their agents believe. */
  static async start(site: Site, segment: Segment, { machines, stepMs = 300 }: FleetOptions): Promise<Fleet> {
    const name = `played${segment.number}`;
    const host = await segment.addHost(name, { address: segment.subnet.address(HOST_NUMBER) });
    await host.ip(`route add 255.255.255.255 dev ${host.interface}`);
    const folder = join(site.lab.folder, name);
    mkdirSync(folder);
    const order: PlayOrder = {
      machines,
      networkInterface: host.interface,
      socket: join(folder, 'power'),
      trustRoot: await site.trustRoot(),
      folder,
      stepMs,
    };
    const file = join(folder, 'order.json');
    writeFileSync(file, JSON.stringify(order));
    const playing = await host.start(program('test/fleet/machines.ts', file), { name });
    await playing.waitForLine(/"playing":/, UP_MS);
    return new Fleet(machines, order.socket, playing);
  }

  async power(deed: PowerCommand['do'], ...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((machine) => switchPower(this.socket, { machine, do: deed })));
  }

  /** What a machine came to so far, in order. */
  eventsOf(name: string): readonly PlayedEvent[] {
    return this.process.output.text
      .split('\n')
      .filter((line) => line.includes(`"machine":"${name}"`))
      .map((line) => JSON.parse(line) as PlayedEvent);
  }
}

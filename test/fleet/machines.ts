/**
 * `machines.ts ORDER`: plays the machines of an order, a JSON file, in the namespace of a host, until it is killed. What
 * they come to is printed as lines of JSON; their power is switched by a socket (power-line.ts).
 */
import { readFileSync } from 'node:fs';
import { Addresses } from './addresses.ts';
import { DhcpClient } from './dhcp-client.ts';
import type { MachineSpec } from './machine-spec.ts';
import { PlayedMachine } from './played-machine.ts';
import { listenForPower, type PowerAnswer, type PowerCommand } from './power-line.ts';

export interface PlayOrder {
  readonly machines: readonly MachineSpec[];
  readonly networkInterface: string;
  readonly socket: string;
  /** The content of root.json: whose releases their agents believe. */
  readonly trustRoot: string;
  /** For what their agents keep while they run. */
  readonly folder: string;
  /** Milliseconds of each step of an installation. */
  readonly stepMs: number;
}

/** What a played machine comes to, as a line of JSON. */
export interface PlayedEvent {
  readonly machine: string;
  readonly event: string;
  readonly detail: string;
}

if (process.argv[1] === import.meta.filename) await play(process.argv[2] ?? '');

async function play(orderFile: string): Promise<void> {
  const order = JSON.parse(readFileSync(orderFile, 'utf8')) as PlayOrder;
  const { networkInterface, trustRoot, folder, stepMs } = order;
  const [dhcp, addresses] = [await DhcpClient.open(), new Addresses(networkInterface)];
  const machines = new Map<string, PlayedMachine>();
  for (const spec of order.machines) {
    const tell = (event: string, detail: string): void =>
      void process.stdout.write(
        `${JSON.stringify({ machine: spec.name, event, detail } satisfies PlayedEvent)}\n`,
      );
    const machine = new PlayedMachine({ spec, dhcp, addresses, trustRoot, folder, stepMs, tell });
    for (const key of [spec.name, spec.mac, spec.uuid, spec.serial]) machines.set(key, machine);
  }
  await listenForPower(order.socket, async (command) => carryOut(command, machines.get(command.machine)));
  process.stdout.write(`${JSON.stringify({ playing: order.machines.length })}\n`);
}

async function carryOut(
  { machine, do: deed }: PowerCommand,
  played: PlayedMachine | undefined,
): Promise<PowerAnswer> {
  if (!played) return { ok: false, error: `no machine ${machine} is played here` };
  if (deed === 'off' || deed === 'cycle') await played.powerOff();
  if (deed === 'on' || deed === 'cycle') played.powerOn();
  return { ok: true, power: played.isOn ? 'on' : 'off' };
}

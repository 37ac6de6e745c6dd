/**
 * Lays network labs for tests, the demo and benchmarks.
 *
 *     await using lab = await Lab.create('pxe');
 *     const segment = await lab.addSegment({ relay: 'dhcrelay' });
 *     const edge = await lab.core.start(['node', 'edge.ts'], { name: 'edge' });
 *     const machine = await segment.startMachine({ name: 'node1', firmware: 'uefi' });
 *     await machine.waitFor(/login: $/, 180_000);
 */
export type { CommandOptions, CommandResult } from './command.ts';
export type { Core } from './core.ts';
export { Lab } from './lab.ts';
export type { ConsoleMatch, Machine, MachineOptions } from './machine.ts';
export type { LinkRate, Namespace, StartOptions } from './namespace.ts';
export type { Host, HostOptions, Impairment, Loss, Network } from './network.ts';
export type { Process, ProcessExit } from './process.ts';
export {
  type Firmware,
  flashArguments,
  machineType,
  type NetworkBoot,
  pristineVariables,
  processorArguments,
} from './qemu.ts';
export { randomFrom } from './random.ts';
export type { RelayKind } from './relay.ts';
export type { Purpose, Requirement } from './requirements.ts';
export type { Segment, SegmentOptions } from './segment.ts';
export type { Subnet } from './subnet.ts';
export type { Transcript } from './transcript.ts';

/** Machines that are played at the level of protocols, many in a process: test/fleet/decisions/0001. */
export { EmulatedMachines } from './emulated-machines.ts';
export { Fleet } from './fleet.ts';
export { specOf } from './machine-spec.ts';
export { applyPlayedProfile, publishPlayed, publishPlayedMini } from './played-releases.ts';
export { installPowerCommand } from './power-program.ts';

/** What an installation does to disks: the layout that operators write, and the plan that follows from it. Pure. */
export {
  type DevicePaths,
  type DiskCommand,
  deviceOf,
  diskCommands,
  fstabId,
  partitionPath,
} from './commands.ts';
export { Disk, DiskFacts, Holding } from './disk.ts';
export { type DiskPlan, type PlanRequest, planDisks } from './plan.ts';
export { planText } from './plan-text.ts';
export { DiskHints, DiskLayout } from './profile.ts';
export { isRefusal, type Refusal, type RefusalCause } from './refusal.ts';
export { Size } from './size.ts';

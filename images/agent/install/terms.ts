import type { InstallMachine, InstallOrder } from '@bootswarm/controller/contract';

/** What is known of the machine when it is installed: an edge knows all of it, a medium only what firmware tells. */
export type TargetMachine = Omit<InstallMachine, 'mac' | 'address' | 'prefixLength'> &
  Partial<Pick<InstallMachine, 'mac' | 'address' | 'prefixLength'>>;

/** What an installation follows, whoever ordered it. */
export interface InstallTerms extends Pick<InstallOrder, 'epoch' | 'release' | 'profile'> {
  readonly machine: TargetMachine;
  /** Undefined where nobody waits for the word that the new system is up. */
  readonly firstBootUrl?: string;
}

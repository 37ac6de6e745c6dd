import type { Process } from './process.ts';

/** What the parts of one lab share. */
export interface LabScope {
  /** Starts the name of every namespace of the lab. */
  readonly prefix: string;
  /** Where the lab's logs, captures and firmware variables are; it goes when the lab goes. */
  readonly folder: string;
  /** Every process started in the lab, to be ended with it. */
  readonly processes: Set<Process>;
}

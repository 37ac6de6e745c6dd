import { z } from 'zod';
import { BootCause } from './boot-causes.ts';
import { Instant, Ipv4, Mac, Name, Uuid } from './names.ts';

/**
 * The stages of a boot as an edge sees them, in the order in which they come. `alarm` is none: it is about the
 * segment rather than one machine.
 */
export const BootStage = z.enum([
  'discover',
  'offer',
  'lease',
  'firmware',
  'script',
  'kernel',
  'initramfs',
  'root',
  'agent',
  'answers',
  'tree',
  'installed',
  'install',
  'wipe',
  'first-boot',
  'alarm',
]);
export type BootStage = z.infer<typeof BootStage>;

/** One line of an edge's journal: what happened to a machine, and why. */
export const JournalRecord = z.strictObject({
  /** Counts up by one on each edge and never goes back. */
  seq: z.int().positive(),
  at: Instant,
  stage: BootStage,
  /** Left out where an alarm is about no machine. */
  mac: Mac.optional(),
  uuid: Uuid.optional(),
  segment: Name.optional(),
  address: Ipv4.optional(),
  /** Why the boot goes no further from here; left out where it does. */
  cause: BootCause.optional(),
  /** Firmware spoke, rather than an installed system: a machine that nobody knew is one from now on. */
  netboot: z.literal(true).optional(),
  /** What the machine is expected to fetch now; left out where the record is no answer to it. */
  next: z.enum(['firmware', 'script', 'kernel', 'installer', 'agent', 'nothing']).optional(),
  /** A single-use intent of this epoch is over: the machine boots from its disk until another is set. */
  spentEpoch: z.int().positive().optional(),
  /** Of the intent that the agent carries out: what its work on the disks belongs to. */
  epoch: z.int().positive().optional(),
  /** How often the same was decided since the last record of it. */
  times: z.int().positive().optional(),
  /** What was decided and the reason, for a person. */
  detail: z.string().max(500),
});
export type JournalRecord = z.infer<typeof JournalRecord>;

/** A record, and the edge whose journal it came from. */
export const EdgeRecord = JournalRecord.extend({ edge: Name });
export type EdgeRecord = z.infer<typeof EdgeRecord>;

export const JOURNAL_BATCH_MOST = 500;

/** At most 500 records, in the order of `seq`. Sending a batch twice is harmless. */
export const JournalBatch = z.strictObject({
  records: z.array(JournalRecord).min(1).max(JOURNAL_BATCH_MOST),
});

/** The highest `seq` that the controller holds of this edge; the edge may forget up to it. */
export const JournalReceipt = z.strictObject({ takenSeq: z.int().min(0) });

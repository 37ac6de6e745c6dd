import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DesiredState, EdgeCredentials, type JournalRecord } from '@bootswarm/controller/contract';
import { Signed } from '@bootswarm/images/format';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { InstallProgress } from '../decide/install-step.ts';
import { workRecord } from '../decide/work-record.ts';
import type { DiskWork } from '../decide/work-step.ts';
import { commitOf } from './commit.ts';
import { DiskReserve } from './disk-reserve.ts';
import { InspectionQueue } from './inspection-queue.ts';
import { Journal } from './journal.ts';
import type { Unnumbered } from './journal-repeats.ts';

/** Bytes that stay free on the disk. What the edge must not forget may go on when the journal may not. */
const RESERVE_BYTES = { journal: 16 * 1024 * 1024, others: 4 * 1024 * 1024 };

const FACTS = { name: 'facts', encoding: 'json' } as const;
type Facts = Database<unknown, string>;

export interface EdgeStoreOptions {
  /** Told when what nobody waits for could not be written: records of the journal. */
  readonly onLoss: (error: unknown) => void;
  readonly reserve?: DiskReserve;
}

/** What this edge must not forget but its leases: credentials, desired state, journal. */
export class EdgeStore {
  readonly #root: RootDatabase;
  readonly #journal: Journal;
  readonly #facts: Facts;
  /** By machine. */
  readonly #installs: Database<InstallProgress, string>;
  /** By machine. */
  readonly #works: Database<DiskWork, string>;
  /** What agents found out, for the controller. */
  readonly inspections: InspectionQueue;
  readonly #reserve: DiskReserve;

  private constructor(root: RootDatabase, onLoss: (error: unknown) => void, reserve: DiskReserve) {
    this.#root = root;
    this.#reserve = reserve;
    this.#facts = root.openDB(FACTS);
    this.#installs = root.openDB({ name: 'installs', encoding: 'json' });
    this.#works = root.openDB({ name: 'works', encoding: 'json' });
    const requireRoom = (): void => reserve.require(RESERVE_BYTES.journal);
    this.inspections = new InspectionQueue(
      root.openDB({ name: 'inspections', encoding: 'json' }),
      requireRoom,
    );
    this.#journal = new Journal({ root, facts: this.#facts, requireRoom, onLoss });
  }

  /** Opens or makes the environment in `folder`. */
  static open(folder: string, { onLoss, reserve }: EdgeStoreOptions): EdgeStore {
    // Without overlappingSync a put resolves after its one fdatasync: controller/decisions/0002.
    return new EdgeStore(
      open({ path: folder, overlappingSync: false }),
      onLoss,
      reserve ?? DiskReserve.of(folder),
    );
  }

  /** The last desired state in `folder`, read beside an edge that may be at work on it. Undefined where there is none. */
  static async readDesiredState(folder: string): Promise<DesiredState | undefined> {
    if (!existsSync(join(folder, 'data.mdb'))) return undefined;
    const root = open({ path: folder, readOnly: true });
    try {
      const facts: Facts | undefined = root.openDB(FACTS);
      return desiredStateOf(facts?.get('desiredState'));
    } finally {
      await root.close();
    }
  }

  /** The credentials that joining brought. */
  credentials(): EdgeCredentials | undefined {
    return EdgeCredentials.optional().parse(this.#facts.get('credentials'));
  }

  /** SHA-256 of the join token that brought the credentials. */
  joinedWith(): string | undefined {
    return this.#facts.get('joinedWith') as string | undefined;
  }

  /**
   * A new controller, or one set up anew, counts its revisions anew: the old desired state ends with the old
   * credentials.
   * @param joinedWith SHA-256 of the join token that brought them.
   */
  async replaceCredentials(credentials: EdgeCredentials, joinedWith: string): Promise<void> {
    this.#reserve.require(RESERVE_BYTES.others);
    const replaced = this.#root.transaction(() => {
      void this.#facts.put('credentials', credentials);
      void this.#facts.put('joinedWith', joinedWith);
      void this.#facts.remove('desiredState');
    });
    await commitOf(replaced);
  }

  /** The last desired state that was good. One that this version cannot read is none: it is fetched again. */
  desiredState(): DesiredState | undefined {
    return desiredStateOf(this.#facts.get('desiredState'));
  }

  async keepDesiredState(signed: Signed): Promise<void> {
    this.#reserve.require(RESERVE_BYTES.others);
    await commitOf(this.#facts.put('desiredState', signed));
  }

  /** How far the installation of each machine got, by its id. */
  installs(): ReadonlyMap<string, InstallProgress> {
    return new Map(Array.from(this.#installs.getRange({}), ({ key, value }) => [key, value]));
  }

  /** Durable when it resolves. */
  async keepInstall(machineId: string, progress: InstallProgress): Promise<void> {
    this.#reserve.require(RESERVE_BYTES.others);
    await commitOf(this.#installs.put(machineId, progress));
  }

  /** How work on the disks of each machine stands, by its id. */
  works(): ReadonlyMap<string, DiskWork> {
    return new Map(Array.from(this.#works.getRange({}), ({ key, value }) => [key, value]));
  }

  /** Durable when it resolves, together with what the journal says of it. */
  async keepWork(machineId: string, work: DiskWork): Promise<void> {
    this.#reserve.require(RESERVE_BYTES.others);
    await this.#journal.addWith(workRecord(work), () => void this.#works.put(machineId, work));
  }

  /** From which the tokens of answer files are made. The same for as long as this environment lives. */
  async ensureAnswersSecret(): Promise<string> {
    const kept = this.#facts.get('answersSecret');
    if (typeof kept === 'string') return kept;
    const made = randomBytes(32).toString('hex');
    await commitOf(this.#facts.put('answersSecret', made));
    return made;
  }

  /** As `addAllToJournal`, for one record. */
  addToJournal(record: Unnumbered): readonly Unnumbered[] {
    return this.#journal.add([record]);
  }

  /**
   * Adds records in their order; each `seq` is given here. The same of the same machine again within a minute is
   * only counted. Not waited for: a journal may lose its last moment, a lease may not.
   * @returns those that are written at once.
   */
  addAllToJournal(records: readonly Unnumbered[]): readonly Unnumbered[] {
    return this.#journal.add(records);
  }

  /** The oldest records, at most `most`. */
  oldestJournal(most: number): JournalRecord[] {
    return this.#journal.oldest(most);
  }

  /** Forgets records up to `seq`, which the controller holds. */
  forgetJournal(seq: number): Promise<void> {
    return this.#journal.forget(seq);
  }

  async close(): Promise<void> {
    this.#journal.close();
    await this.#root.close();
  }
}

function desiredStateOf(kept: unknown): DesiredState | undefined {
  const signed = Signed.safeParse(kept);
  return signed.success ? DesiredState.safeParse(JSON.parse(signed.data.payload)).data : undefined;
}

import {
  Edge,
  type EdgeRecord,
  isOfBoot,
  type JournalRecord,
  type Machine,
  moveAfter,
  standingAfter,
  stillAtIt,
  tellingUuid,
  withLife,
} from '@bootswarm/controller/contract';
import { edgeKey, unknownEdge } from '../edges/edges.ts';
import { Places } from '../places.ts';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { newMachineId } from './keys.ts';
import { move } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import { welcomed } from './newcomers.ts';
import { alarmRecords, machineRecords } from './record-ring.ts';

/**
 * Batches that are taken in at once. With as many as come, the desired state of an edge that comes back waits behind the
 * journals of all others: each keeps the processor and the store's one writer for tens of milliseconds (decisions/0015).
 */
const BATCHES_AT_ONCE = 4;

/** Where journals come in: some at a time, in the order in which they came. */
export class JournalIntake {
  readonly #store: StateStore;
  readonly #places = new Places(BATCHES_AT_ONCE);

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** As `takeJournal`. */
  take(edgeName: string, records: readonly JournalRecord[]): Promise<number> {
    return this.#places.run(() => takeJournal(this.#store, edgeName, records));
  }
}

/**
 * Takes in records of an edge: each is kept under its machine, which is made where nobody knew it, and alarms under
 * their segment. Records up to the edge's `journalSeq` were taken already and are passed over, so that a batch may
 * come twice. Only the machines that the records are about are read. A machine's deadline runs from `now`, by the
 * controller's clock: what an edge that was cut off tells a day later is no day too late.
 * @returns the edge's `journalSeq` afterwards.
 */
export function takeJournal(
  store: StateStore,
  edgeName: string,
  records: readonly JournalRecord[],
  now = new Date(),
): Promise<number> {
  return transact(store, `the journal of edge ${edgeName}`, async (reads) => {
    const held = await reads.get(edgeKey(edgeName));
    if (!held) throw unknownEdge(edgeName);
    const edge = Edge.parse(held.value);
    const fresh = records.filter((record) => record.seq > edge.journalSeq);
    if (fresh.length === 0) return { result: edge.journalSeq };

    const draft = new MachineDraft(reads);
    for (const record of fresh) await take(draft, { ...record, edge: edgeName }, now);
    const journalSeq = Math.max(...fresh.map((record) => record.seq));
    draft.put[edgeKey(edgeName)] = { ...edge, journalSeq } satisfies Edge;
    return { put: draft.put, result: journalSeq };
  });
}

async function take(draft: MachineDraft, record: EdgeRecord, now: Date): Promise<void> {
  const isAlarm = record.stage === 'alarm';
  if (isAlarm || !isAboutMachine(record)) await alarmRecords.append(draft, record.segment ?? '-', record);
  if (!isAboutMachine(record)) return;
  const known = await draft.sighted(record);
  // Whoever an alarm names, or is an installed system that asks for an address, need not be a machine that boots here.
  if (!known && !isOfBoot(record)) return;
  const machine = isAlarm && known ? known : await turned(draft, known, record, now);
  if (machine !== known) await draft.keep(machine);
  await machineRecords.append(draft, machine.id, record);
}

type MachineRecord = EdgeRecord & { readonly mac: string };

function isAboutMachine(record: EdgeRecord): record is MachineRecord {
  return record.mac !== undefined;
}

/** The machine after a record of it, in the state that the record brings it to; a new one where `known` is undefined. */
async function turned(
  draft: MachineDraft,
  known: Machine | undefined,
  record: MachineRecord,
  now: Date,
): Promise<Machine> {
  // Its state stands before the record is added: what older controllers stored of work would tell another one.
  const held = withLife(known ?? { id: newMachineId(), macs: [record.mac] });
  const turn = moveAfter(held, record);
  const heard = sighted(held, record);
  if (!turn) return heard;
  // Something came of what was armed: what the machine was before it is no more.
  const { before: _, ...begun } = heard;
  if (turn.to === held.state) return stillAtIt(begun, now);
  const reason = `${record.edge}: ${record.detail}`;
  const after = await move(draft, begun, turn.to, { at: now, by: 'journal', reason, cause: turn.cause });
  return known ? after : welcomed(draft, after);
}

/**
 * Once an edge has used an epoch up, every edge is told so: the fellow of that edge, or the same edge with a new disk,
 * does not install the machine again.
 */
function spentIn(
  { spentEpoch, at, edge, detail, cause }: EdgeRecord,
  known: Machine,
): Pick<Machine, 'spent'> {
  if (spentEpoch === undefined || spentEpoch <= (known.spent?.epoch ?? 0)) return {};
  return { spent: { epoch: spentEpoch, at, edge, detail, ...(cause === undefined ? {} : { cause }) } };
}

function workIn(record: EdgeRecord, known: Machine): Pick<Machine, 'work'> {
  const work = standingAfter(known.work, record);
  return work === undefined ? {} : { work };
}

/** What a record tells of a machine, beside its state. */
function sighted(known: Machine, record: MachineRecord): Machine {
  const uuid = tellingUuid(record.uuid) ?? known.uuid;
  const segment = record.segment ?? known.segment;
  const address = record.address ?? known.address;
  return {
    ...known,
    macs: known.macs.includes(record.mac) ? known.macs : [...known.macs, record.mac],
    ...(uuid === undefined ? {} : { uuid }),
    ...spentIn(record, known),
    ...workIn(record, known),
    ...(segment === undefined ? {} : { segment }),
    ...(address === undefined ? {} : { address }),
    firstSeenAt: known.firstSeenAt ?? record.at,
    lastSeenAt: record.at,
  };
}

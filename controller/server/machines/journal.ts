import { Edge, type JournalRecord, Machine, matchMachine, tellingUuid } from '@bootswarm/controller/contract';
import { edgeKey, unknownEdge } from '../edges/edges.ts';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { GUARD, JOURNAL_PREFIX, MACHINES_PREFIX, machineKey, newMachineId } from './keys.ts';

/**
 * Takes in records of an edge: each is kept under its machine, which is made where nobody knew it. Records
 * up to the edge's `journalSeq` were taken already and are passed over, so that a batch may come twice.
 * @returns the edge's `journalSeq` afterwards.
 */
export function takeJournal(
  store: StateStore,
  edgeName: string,
  records: readonly JournalRecord[],
): Promise<number> {
  return transact(store, `the journal of edge ${edgeName}`, async (reads) => {
    const held = await reads.get(edgeKey(edgeName));
    if (!held) throw unknownEdge(edgeName);
    const edge = Edge.parse(held.value);
    const fresh = records.filter((record) => record.seq > edge.journalSeq);
    if (fresh.length === 0) return { result: edge.journalSeq };

    await reads.get(GUARD);
    const entries = await store.list(MACHINES_PREFIX);
    const known = new Map(entries.map((entry) => [entry.key, entry]));
    const machines = new Map(entries.map((entry) => [entry.key, Machine.parse(entry.value)]));
    const put: Record<string, unknown> = {};
    for (const record of fresh.filter(isAboutMachine)) {
      const machine = sighted(matchMachine(machines.values(), record), record);
      const key = machineKey(machine.id);
      const entry = known.get(key);
      if (entry) reads.dependOn(entry);
      if (!isKnownBy(machine, machines.get(key))) put[GUARD] = machine.id;
      machines.set(key, machine);
      put[key] = machine;
      put[recordKey(machine.id, edgeName, record)] = { ...record, edge: edgeName };
    }
    const journalSeq = Math.max(...fresh.map((record) => record.seq));
    put[edgeKey(edgeName)] = { ...edge, journalSeq } satisfies Edge;
    return { put, result: journalSeq };
  });
}

type MachineRecord = JournalRecord & { readonly mac: string };

function isAboutMachine(record: JournalRecord): record is MachineRecord {
  return record.mac !== undefined;
}

/** Whether `held` has all by which `machine` may be matched. */
function isKnownBy(machine: Machine, held: Machine | undefined): boolean {
  return held?.macs.length === machine.macs.length && held.uuid === machine.uuid;
}

/** The machine after a record of it; a new one where `known` is undefined. */
function sighted(known: Machine | undefined, record: MachineRecord): Machine {
  const uuid = tellingUuid(record.uuid) ?? known?.uuid;
  const segment = record.segment ?? known?.segment;
  const address = record.address ?? known?.address;
  const macs = known?.macs ?? [];
  return {
    id: known?.id ?? newMachineId(),
    macs: macs.includes(record.mac) ? macs : [...macs, record.mac],
    ...(uuid === undefined ? {} : { uuid }),
    ...(known?.intent === undefined ? {} : { intent: known.intent }),
    ...(segment === undefined ? {} : { segment }),
    ...(address === undefined ? {} : { address }),
    firstSeenAt: known?.firstSeenAt ?? record.at,
    lastSeenAt: record.at,
  };
}

/** In the order of time; the padding keeps an edge's records of one millisecond in order. */
function recordKey(machineId: string, edge: string, record: JournalRecord): string {
  return `${JOURNAL_PREFIX}${machineId}/${record.at}/${edge}/${String(record.seq).padStart(12, '0')}`;
}

import { type EdgeRecord, Machine } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { MACHINES_PREFIX, machineKey } from './keys.ts';
import { MachineDraft } from './machine-draft.ts';
import { machineRecords, RING_MOST } from './record-ring.ts';

/** Says that every machine has the keys by which it is found. */
const MARK = 'machines-indexed';
/** Where versions before kept the records of a machine, each under its time. */
const OLD_JOURNAL_PREFIX = 'machine-journal/';
const OLD_GUARD = 'guards/machines';

/**
 * Brings machines as versions before stored them to today's keys, once, before anybody is served: keys by MAC and
 * UUID, and journals as rings. Machine by machine, so that a break loses nothing and the next start goes on.
 */
export async function upgradeMachines(store: StateStore): Promise<void> {
  if (await store.get(MARK)) return;
  for (const { value } of await store.list(MACHINES_PREFIX)) await upgrade(store, Machine.parse(value).id);
  await transact(store, 'the upgrade of machines', async (reads) => {
    const remove = (await reads.get(OLD_GUARD)) ? [OLD_GUARD] : [];
    return (await reads.get(MARK))
      ? { result: undefined }
      : { put: { [MARK]: 1 }, remove, result: undefined };
  });
}

function upgrade(store: StateStore, id: string): Promise<void> {
  return transact(store, `machine ${id}`, async (reads) => {
    const entry = await reads.get(machineKey(id));
    if (!entry) return { result: undefined };
    const draft = new MachineDraft(reads);
    await draft.keep(Machine.parse(entry.value));
    const old = await store.list(`${OLD_JOURNAL_PREFIX}${id}/`);
    for (const { value } of old.slice(-RING_MOST))
      await machineRecords.append(draft, id, value as EdgeRecord);
    return { put: draft.put, remove: old.map(({ key }) => key), result: undefined };
  });
}

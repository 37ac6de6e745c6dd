import {
  holding,
  lifeOf,
  type Machine,
  MachineReservation,
  matcherOf,
  problem,
  type ReservationRequest,
  selectorOf,
} from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { move } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import type { MachineIndex } from './machine-index.ts';

const PREFIX = 'machine-reservations/';
/** Machines named for each reason why too few can be reserved. */
const NAMED_MOST = 5;
const REASONS_MOST = 20;

/** Machines set aside by operators. Whoever reserves gets all that was asked for, or nothing. */
export class Reservations {
  readonly #store: StateStore;
  readonly #index: MachineIndex;

  constructor(store: StateStore, index: MachineIndex) {
    this.#store = store;
    this.#index = index;
  }

  async list(): Promise<MachineReservation[]> {
    return (await this.#store.list(PREFIX)).map(({ value }) => MachineReservation.parse(value));
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<MachineReservation> {
    return reservationIn(await this.#store.get(PREFIX + name), name);
  }

  /** @throws Problem already_exists, reservation_short with the reason for each machine that cannot be reserved */
  reserve({ hours, ...request }: ReservationRequest, now: Date): Promise<MachineReservation> {
    const { name, count, match, owner } = request;
    return transact(this.#store, `reservation ${name}`, async (reads) => {
      if (await reads.get(PREFIX + name))
        throw problem('already_exists', { field: 'name', facts: { kind: 'reservation', name } });
      const isMeant = matcherOf(selectorOf(match));
      const draft = new MachineDraft(reads);
      const machines: string[] = [];
      const reasons = new Map<string, string[]>();
      for (const seen of await this.#index.all()) {
        if (machines.length === count) break;
        if (!isMeant(seen)) continue;
        const reason = reasonAgainst(seen);
        // Read again for the transaction only where it is to be changed: of two that reserve it, one loses.
        const machine = reason === undefined ? await draft.machine(seen.id) : seen;
        const still =
          machine && isMeant(machine) ? reasonAgainst(machine) : 'it is gone or changed meanwhile';
        if (machine === undefined || still !== undefined) {
          const names = reasons.get(still ?? '') ?? [];
          reasons.set(still ?? '', names);
          names.push(seen.name ?? seen.id);
          continue;
        }
        await draft.keep(await reserved(draft, machine, name, now));
        machines.push(machine.id);
      }
      if (machines.length < count) {
        const facts = {
          count,
          free: machines.length,
          match: match || 'all machines',
          list: reasonsText(reasons),
        };
        throw problem('reservation_short', { field: 'count', facts });
      }
      const until = hours === undefined ? undefined : new Date(now.getTime() + hours * 3_600_000);
      const reservation: MachineReservation = {
        name,
        ...(owner === undefined ? {} : { owner }),
        match,
        machines,
        since: now.toISOString(),
        ...(until === undefined ? {} : { until: until.toISOString() }),
      };
      return { put: { ...draft.put, [PREFIX + name]: reservation }, result: reservation };
    });
  }

  /** Its machines are free again, but for those that were given work meanwhile. @throws Problem not_found */
  end(name: string, now: Date, reason = `reservation ${name} was ended`): Promise<MachineReservation> {
    return transact(this.#store, `reservation ${name}`, async (reads) => {
      const reservation = reservationIn(await reads.get(PREFIX + name), name);
      const draft = new MachineDraft(reads);
      for (const id of reservation.machines) {
        const machine = await draft.machine(id);
        if (machine?.reservation === name) await draft.keep(await freed(draft, machine, now, reason));
      }
      return { put: draft.put, remove: [PREFIX + name], result: reservation };
    });
  }

  /** Takes one machine out of its reservation, which ends with its last. @throws Problem not_reserved */
  release(machineId: string, now: Date): Promise<Machine> {
    return transact(this.#store, `machine ${machineId}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const machine = await draft.machine(machineId);
      const name = machine?.reservation;
      if (!machine || name === undefined) throw problem('not_reserved', { facts: { machine: machineId } });
      const left = await freed(draft, machine, now, `it was taken out of reservation ${name}`);
      await draft.keep(left);
      const { put } = draft;
      const reservation = reservationIn(await reads.get(PREFIX + name), name);
      const machines = reservation.machines.filter((id) => id !== machineId);
      return machines.length === 0
        ? { put, remove: [PREFIX + name], result: left }
        : { put: { ...put, [PREFIX + name]: { ...reservation, machines } }, result: left };
    });
  }

  /** Ends those whose time is over. @returns their names. */
  async expire(now: Date): Promise<readonly string[]> {
    const over = (await this.list()).filter(({ until }) => until !== undefined && until <= now.toISOString());
    for (const { name } of over) {
      await this.end(name, now, `the time of reservation ${name} was over`).catch((error: unknown) => {
        // Another controller, or an operator, was there first.
        if (!(error instanceof Error && 'code' in error && error.code === 'not_found')) throw error;
      });
    }
    return over.map(({ name }) => name);
  }
}

/** Why a machine cannot be reserved; undefined where it can. */
function reasonAgainst(machine: Machine): string | undefined {
  if (machine.reservation !== undefined) return `reservation ${machine.reservation} holds it`;
  const { state } = lifeOf(machine);
  if (state !== 'available') return `it is ${state}`;
  return machine.hardwareChanged === undefined ? undefined : 'its hardware changed';
}

async function reserved(draft: MachineDraft, machine: Machine, name: string, at: Date): Promise<Machine> {
  const motion = { at, by: 'operator', reason: `reservation ${name}` } as const;
  return { ...(await move(draft, machine, 'reserved', motion)), reservation: name };
}

async function freed(draft: MachineDraft, machine: Machine, at: Date, reason: string): Promise<Machine> {
  const { reservation: _, ...free } = machine;
  if (lifeOf(machine).state !== 'reserved') return free;
  // Where an installation is armed meanwhile, that keeps it reserved.
  const { state } = holding(free);
  return state === 'reserved' ? free : move(draft, free, 'available', { at, by: 'operator', reason });
}

function reasonsText(reasons: ReadonlyMap<string, readonly string[]>): string {
  if (reasons.size === 0) return 'no other machine matches';
  const sorted = [...reasons].toSorted(([, a], [, b]) => b.length - a.length);
  const shown = sorted.slice(0, REASONS_MOST).map(([reason, names]) => {
    const more = names.length > NAMED_MOST ? ', ...' : '';
    return `${names.length} because ${reason}: ${names.slice(0, NAMED_MOST).join(', ')}${more}`;
  });
  if (sorted.length > REASONS_MOST) {
    const rest = sorted.slice(REASONS_MOST).reduce((sum, [, names]) => sum + names.length, 0);
    shown.push(`${rest} for ${sorted.length - REASONS_MOST} other reasons`);
  }
  return shown.join('\n  ');
}

function reservationIn(entry: Awaited<ReturnType<Reads['get']>>, name: string): MachineReservation {
  if (!entry) throw problem('not_found', { facts: { kind: 'reservation', name } });
  return MachineReservation.parse(entry.value);
}

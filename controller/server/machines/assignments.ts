import { isDeepStrictEqual } from 'node:util';
import {
  ASSIGNMENTS_MOST,
  Assignment,
  assignmentConflict,
  type Machine,
  problem,
} from '@bootswarm/controller/contract';
import type { Naming } from '../catalogue/release-uses.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import type { MachineDraft } from './machine-draft.ts';

const KEY = 'assignments';

interface AssignmentsParts {
  readonly store: StateStore;
  readonly machines: () => Promise<readonly Machine[]>;
  /** @throws Problem profile_unknown, assignment_unfit */
  readonly requireFit: (assignment: Assignment, reads: Reads) => Promise<void>;
  /** For a transaction that names a profile, and perhaps a release: what to put beside. @throws Problem where there is none. */
  readonly hold: (
    named: Pick<Assignment, 'profile' | 'release'>,
    reads: Reads,
  ) => Promise<Readonly<Record<string, unknown>>>;
}

/** By which profiles machines are installed where nobody says otherwise. */
export class Assignments {
  readonly #parts: AssignmentsParts;

  constructor(parts: AssignmentsParts) {
    this.#parts = parts;
  }

  list(): Promise<readonly Assignment[]> {
    return assignmentsIn(this.#parts.store);
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<Assignment> {
    const found = (await this.list()).find((each) => each.name === name);
    if (!found) throw problem('not_found', { facts: { kind: 'assignment', name } });
    return found;
  }

  /**
   * Puts an assignment in the place of the one of that name, or adds it.
   * @throws Problem input_invalid, assignment_tie, assignment_unfit, profile_unknown, machine_release_unknown, channel_unknown
   */
  replace(name: string, assignment: Assignment): Promise<Assignment> {
    if (assignment.name !== name)
      throw problem('input_invalid', { field: 'name', facts: { reason: `must be ${name}, as in the path` } });
    const { store, machines, hold, requireFit } = this.#parts;
    return transact(store, `assignment ${name}`, async (reads) => {
      const beside = await hold(assignment, reads);
      await requireFit(assignment, reads);
      const held = await assignmentsIn(reads);
      if (held.some((each) => isDeepStrictEqual(each, assignment))) return { result: assignment };
      const others = held.filter((each) => each.name !== name);
      if (others.length >= ASSIGNMENTS_MOST)
        throw problem('input_invalid', {
          field: 'name',
          facts: { reason: `must not be one more: there are ${ASSIGNMENTS_MOST} assignments already` },
        });
      const tie = assignmentConflict(assignment, others, await machines());
      if (tie) {
        const where = tie.machine === undefined ? 'the same machines' : `machine ${tie.machine.id}`;
        const facts = { assignment: name, other: tie.other, where };
        throw problem('assignment_tie', { field: 'match', facts });
      }
      const put = {
        ...beside,
        [KEY]: [...others, assignment].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      };
      return { put, result: assignment };
    });
  }

  /** @throws Problem not_found */
  remove(name: string): Promise<void> {
    return transact(this.#parts.store, `assignment ${name}`, async (reads) => {
      const held = await assignmentsIn(reads);
      const others = held.filter((each) => each.name !== name);
      if (others.length === held.length) throw problem('not_found', { facts: { kind: 'assignment', name } });
      return { put: { [KEY]: others }, result: undefined };
    });
  }
}

/** All of them; a transaction whose `reads` they are loses where they change meanwhile. */
export async function assignmentsIn(reads: Pick<Reads, 'get'>): Promise<readonly Assignment[]> {
  return parsed((await reads.get(KEY))?.value);
}

/** The same, for a transaction that changes machines. */
export async function assignmentsOf(draft: MachineDraft): Promise<readonly Assignment[]> {
  return parsed(await draft.get(KEY));
}

function parsed(value: unknown = []): readonly Assignment[] {
  return (value as readonly unknown[]).map((each) => Assignment.parse(each));
}

export function namedByAssignments(assignments: readonly Assignment[]): Naming[] {
  return assignments.flatMap(({ name, release }) =>
    release === undefined ? [] : [{ release, use: { kind: 'assignment', name } }],
  );
}

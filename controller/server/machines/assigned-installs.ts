import {
  type Assignment,
  assignmentFor,
  conflictText,
  type Intent,
  type Machine,
  type Motion,
  problem,
} from '@bootswarm/controller/contract';
import type { CheckIntent } from '../catalogue/release-uses.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import { assignmentsIn } from './assignments.ts';
import { give } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import { type CheckFit, unknownMachine } from './machines.ts';

/** What a machine is installed by where nobody named it: an assignment, or the profile of its segment alone. */
export type InstallChoice = Pick<Assignment, 'profile'> & Partial<Omit<Assignment, 'match'>>;

export interface AssignedInstallsParts {
  readonly store: StateStore;
  readonly checkIntent: CheckIntent;
  readonly checkFit: CheckFit;
  /** What installs by a choice. @throws Problem profile_unknown, assignment_unfit */
  readonly intentBy: (choice: InstallChoice, reads: Reads) => Promise<Intent>;
}

/** Has machines installed by what is assigned to them. */
export class AssignedInstalls {
  readonly #parts: AssignedInstallsParts;

  constructor(parts: AssignedInstallsParts) {
    this.#parts = parts;
  }

  /**
   * Arms what the narrowest assignment says of a machine.
   * @param key id, name, UUID or MAC.
   * @throws Problem not_found, assignment_none, assignment_open, assignment_unfit, profile_unfit, machine_state_not_allowed
   */
  install(key: string, at: Date): Promise<Machine> {
    return transact(this.#parts.store, `machine ${key}`, async (reads): Promise<Plan<Machine>> => {
      const draft = new MachineDraft(reads);
      const known = await draft.find(key);
      if (!known) throw unknownMachine(key);
      const assignment = requireAssigned(known, await assignmentsIn(reads));
      const reason = `assignment ${assignment.name} says profile ${assignment.profile}`;
      const motion: Motion = { at, by: 'operator', reason };
      const machine = await this.arm(draft, known, { choice: assignment, motion, reads });
      await draft.keep(machine);
      return { put: draft.put, result: machine };
    });
  }

  /** The machine with a choice armed, and with what the choice says beside. It is the caller's to keep it. @throws as `install` */
  async arm(
    draft: MachineDraft,
    known: Machine,
    {
      choice,
      motion,
      reads,
    }: { readonly choice: InstallChoice; readonly motion: Motion; readonly reads: Reads },
  ): Promise<Machine> {
    const { checkIntent, checkFit, intentBy } = this.#parts;
    const intent = await intentBy(choice, reads);
    Object.assign(draft.put, await checkIntent(intent, reads));
    const machine = withChoice(await give(draft, known, intent, motion), choice);
    await checkFit(machine, reads);
    return machine;
  }
}

/** @throws Problem assignment_none, assignment_open */
function requireAssigned(machine: Machine, assignments: readonly Assignment[]): Assignment {
  const { assignment, conflict } = assignmentFor(machine, assignments);
  if (assignment) return assignment;
  throw conflict.length > 0
    ? problem('assignment_open', { facts: { machine: machine.id, list: conflictText(conflict) } })
    : problem('assignment_none', { facts: { machine: machine.id } });
}

function withChoice(
  machine: Machine,
  { name, kernelArguments = [], variables = {} }: InstallChoice,
): Machine {
  const { epoch } = machine;
  if (name === undefined || epoch === undefined) return machine;
  return { ...machine, assignment: { name, epoch, kernelArguments, variables } };
}

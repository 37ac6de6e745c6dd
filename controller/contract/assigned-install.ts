import { KernelArgument } from '@bootswarm/images/format';
import { z } from 'zod';
import { MachineVariables } from './installer-profile.ts';
import { Instant, Name } from './names.ts';

/** What assignments have to do with a machine. */
export const AssignedInstall = z.strictObject({
  /**
   * Which assignment gave the intent of that epoch, and what it said then beside profile and release: one that changes
   * later changes nothing that is armed. Of another epoch it says nothing any more: `assignmentOf`.
   */
  assignment: z
    .strictObject({
      name: Name,
      epoch: z.int().positive(),
      kernelArguments: z.array(KernelArgument).max(64),
      variables: MachineVariables,
    })
    .optional(),
  /** Of a newcomer that its segment has installed: why it was not. It stays so until it is given an intent. */
  notInstalled: z.strictObject({ at: Instant, reason: z.string().max(600) }).optional(),
});
export type AssignedInstall = z.infer<typeof AssignedInstall>;

type Given = NonNullable<AssignedInstall['assignment']>;

/** What of a machine tells how it is to be installed. */
interface Assignable extends Pick<AssignedInstall, 'assignment'> {
  readonly epoch?: number | undefined;
  readonly variables?: MachineVariables | undefined;
}

/** The assignment that gave a machine the intent that it has; undefined where somebody named what to do. */
export function assignmentOf({ assignment, epoch }: Assignable): Given | undefined {
  return assignment?.epoch === epoch ? assignment : undefined;
}

/** Values of variables as its intent is carried out: the machine's own, and for the others those of its assignment. */
export function effectiveVariables(machine: Assignable): MachineVariables | undefined {
  const given = assignmentOf(machine)?.variables;
  if (given === undefined || Object.keys(given).length === 0) return machine.variables;
  return { ...given, ...machine.variables };
}

/**
 * Kernel arguments of something wide, and behind them those of something narrower. What the narrower says of a name
 * takes the place of all that the wider says of it: two `console=` of a profile give way to one of an assignment, which
 * names both again where both are meant. To the kernel `-` and `_` in a name are the same (`parameqn` in its params.c).
 */
export function mergedArguments(wider: readonly string[], narrower: readonly string[]): readonly string[] {
  const said = new Set(narrower.map(argumentName));
  return [...wider.filter((argument) => !said.has(argumentName(argument))), ...narrower];
}

function argumentName(argument: string): string {
  const [name = ''] = argument.split('=', 1);
  return name.replaceAll('-', '_');
}

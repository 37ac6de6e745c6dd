import { lifeOf, type Machine, type MachineExplanation, rackOf } from '@bootswarm/controller/contract';
import { factsText, tableText } from './output.ts';

const CHANGES_SHOWN = 20;

/** What a machine is and where it stands, as `machine show` says it. */
export function traitFacts(machine: Machine): Readonly<Record<string, string | undefined>> {
  const { properties = {}, location, labels = {} } = machine;
  const links = location?.links?.map(({ mac, switch: name, port }) => `${mac} at ${name} ${port}`);
  const all = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const size = [
    properties.cpus === undefined ? undefined : `${properties.cpus} threads`,
    gibText(properties.memoryBytes, 'of memory'),
    gibText(properties.diskBytes, `on ${properties.disks ?? 0} disks`),
  ].filter((text) => text !== undefined);
  return {
    name: machine.name,
    serial: machine.serial,
    class: machine.class,
    labels: all.join(' ') || undefined,
    system: [properties.manufacturer, properties.product].filter(Boolean).join(' ') || undefined,
    size: size.join(', ') || undefined,
    rack: [rackOf(machine), location?.position].filter(Boolean).join(', position ') || undefined,
    cables: links?.join('; '),
    reservation: machine.reservation,
    hardware: hardwareText(machine),
  };
}

export function labelsText({ id, labels = {} }: Machine): string {
  const rows = Object.entries(labels);
  return rows.length === 0 ? `Machine ${id} has no labels` : tableText(['LABEL', `OF MACHINE ${id}`], rows);
}

export function explanationText({ machine, values, assignment, conflict, lost }: MachineExplanation): string {
  const rows = values.map((each) => [
    each.what,
    each.value,
    each.by,
    each.lost.map(({ rule, value }) => `${rule} (${value})`).join(', ') || '-',
  ]);
  const table =
    rows.length === 0
      ? 'Nobody gave it labels or a class.'
      : tableText(['WHAT', 'VALUE', 'BY', 'LOST'], rows);
  const { notInstalled } = machine;
  const held = notInstalled && lifeOf(machine).state === 'available' ? `\n\n${heldText(notInstalled)}` : '';
  return `Machine ${machine.id}\n\n${table}\n\n${assignedText({ assignment, conflict, lost })}${held}`;
}

/** Why it was not installed when it was new here. */
function heldText({ at, reason }: NonNullable<Machine['notInstalled']>): string {
  return `It was not installed on ${at}: ${reason}. 'bootswarm machine boot MACHINE install' does it once something is assigned.`;
}

function assignedText({
  assignment,
  conflict,
  lost,
}: Pick<MachineExplanation, 'conflict' | 'lost'> & {
  readonly assignment: MachineExplanation['assignment'];
}): string {
  if (conflict.length > 0)
    return `Nothing is assigned to it: ${conflict.join(' and ')} match, and none is narrower than the other.`;
  if (!assignment) return 'Nothing is assigned to it.';
  return factsText({
    assignment: `${assignment.name} (${assignment.match || 'all machines'})`,
    profile: assignment.profile,
    release: assignment.release,
    'kernel arguments': assignment.kernelArguments.join(' ') || undefined,
    variables:
      Object.entries(assignment.variables)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ') || undefined,
    'lost to it': lost.join(', ') || undefined,
  });
}

function hardwareText({ id, hardwareChanged }: Machine): string | undefined {
  if (!hardwareChanged) return undefined;
  const { since, changes, count } = hardwareChanged;
  const shown = changes
    .slice(0, CHANGES_SHOWN)
    .map(({ where, before = 'nothing', after = 'nothing' }) => `${where}: ${before} to ${after}`);
  const more = count > shown.length ? `; and ${count - shown.length} more` : '';
  return `changed since ${since}: ${shown.join('; ')}${more}. 'bootswarm machine accept-hardware ${id}' takes it as it is`;
}

function gibText(bytes: number | undefined, what: string): string | undefined {
  return bytes === undefined ? undefined : `${Math.round(bytes / 1024 ** 3)} GiB ${what}`;
}

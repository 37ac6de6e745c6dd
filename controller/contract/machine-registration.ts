import { Architecture } from '@bootswarm/images/format';
import { z } from 'zod';
import type { Machine } from './machine.ts';
import { Labels, LabelValue } from './machine-traits.ts';
import { Mac, Name, Uuid } from './names.ts';

/** Machines that one import may hold. */
const IMPORT_MOST = 20_000;

/** Ids and MACs name machines as well: a name that could be one of them would name two. */
const MachineName = Name.refine(
  (name) => !/^m-[0-9a-f]{10}$/.test(name) && !Mac.safeParse(name).success && !Uuid.safeParse(name).success,
  'must not look like an id, a MAC or a UUID',
);

/** What operators say of a machine. Known ones are told by any of their MACs or their UUID. */
export const MachineRegistration = z.strictObject({
  macs: z.array(Mac).min(1, 'must name at least one MAC').max(64),
  uuid: Uuid.optional(),
  name: MachineName.optional(),
  serial: LabelValue.optional(),
  /** In which it is expected. */
  segment: Name.optional(),
  class: Name.optional(),
  /** Beside those that it has. */
  labels: Labels.optional(),
  rack: LabelValue.optional(),
  position: LabelValue.optional(),
  architecture: Architecture.optional(),
});
export type MachineRegistration = z.infer<typeof MachineRegistration>;

/** Rows as they stand in a file: each is checked on its own, so that all that is wrong is told at once. */
export const MachineImport = z.strictObject({
  rows: z
    .array(
      z.strictObject({
        /** In the file, for what is said of the row. */
        line: z.int().positive().optional(),
        machine: z.unknown(),
      }),
    )
    .min(1)
    .max(IMPORT_MOST),
  /** Tells what would come of it, and changes nothing. */
  dryRun: z.boolean().default(false),
});
export type MachineImport = z.infer<typeof MachineImport>;

export const ImportReceipt = z.strictObject({
  added: z.int().min(0),
  changed: z.int().min(0),
  unchanged: z.int().min(0),
  dryRun: z.boolean(),
});
export type ImportReceipt = z.infer<typeof ImportReceipt>;

/** Why a row cannot be imported. */
export interface RowFault {
  /** Of the file; where that is not known, the number of the row. */
  readonly line: number;
  readonly field: string;
  /** Reads on from the field, and says what to do where that is not plain. */
  readonly reason: string;
}

export interface ImportRow {
  readonly line: number;
  readonly machine: MachineRegistration;
}

/** Reads the rows of an import: those that are as they should be, and all that is wrong in and between them. */
export function readImport({ rows }: Pick<MachineImport, 'rows'>): {
  readonly rows: readonly ImportRow[];
  readonly faults: readonly RowFault[];
} {
  const good: ImportRow[] = [];
  const faults: RowFault[] = [];
  const seen = new Map<string, number>();
  for (const [index, { line = index + 1, machine }] of rows.entries()) {
    const parsed = MachineRegistration.safeParse(machine);
    for (const issue of parsed.error?.issues ?? []) faults.push(...faultsOf(line, issue));
    if (!parsed.success) continue;
    good.push({ line, machine: parsed.data });
    for (const { field, value } of identitiesOf(parsed.data)) {
      const key = `${field} ${value}`;
      const before = seen.get(key);
      if (before === undefined) seen.set(key, line);
      else
        faults.push({
          line,
          field,
          reason: `is ${value}, which stands in line ${before} already: remove one of the two`,
        });
    }
  }
  return { rows: good, faults };
}

function faultsOf(line: number, issue: z.core.$ZodIssue): RowFault[] {
  const where = z.core.toDotPath(issue.path) || 'row';
  if (issue.code !== 'unrecognized_keys') return [{ line, field: where, reason: issue.message }];
  const known = Object.keys(MachineRegistration.shape).join(', ');
  return issue.keys.map((key) => ({
    line,
    field: key,
    reason: `is no field of a machine: choose one of ${known}`,
  }));
}

interface Identity {
  readonly field: 'macs' | 'uuid' | 'name' | 'serial';
  readonly value: string;
}

/** What no two machines have in common. */
export function identitiesOf({
  macs,
  uuid,
  name,
  serial,
}: Pick<Machine, 'macs' | 'uuid' | 'name' | 'serial'>): readonly Identity[] {
  return [
    ...[...new Set(macs)].map((value) => ({ field: 'macs', value }) as const),
    ...Object.entries({ uuid, name, serial }).flatMap(([field, value]) =>
      value === undefined ? [] : [{ field: field as Identity['field'], value }],
    ),
  ];
}

const FAULTS_SHOWN = 50;

/** `line 3, macs[0]: must be ...`: the first of them one by one, all of them by number. */
export function faultsText(faults: readonly RowFault[]): string {
  const sorted = faults.toSorted((a, b) => a.line - b.line);
  const shown = sorted
    .slice(0, FAULTS_SHOWN)
    .map(({ line, field, reason }) => `line ${line}: ${field} ${reason.slice(0, 300)}`);
  if (sorted.length <= FAULTS_SHOWN) return shown.join('\n  ');
  const byField = Map.groupBy(sorted, ({ field }) => field.replace(/\[\d+\]/g, '').split('.')[0] ?? '');
  const counts = Array.from(byField, ([field, of]) => [field, of.length] as const)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 10)
    .map(([field, count]) => `${field} ${count}`);
  shown.push(`and ${sorted.length - FAULTS_SHOWN} more; in all, by field: ${counts.join(', ')}`);
  return shown.join('\n  ');
}

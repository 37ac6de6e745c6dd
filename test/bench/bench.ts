/** A number that was measured once. */
export type Measurement = Readonly<Record<string, number>>;

/** One way of doing a case: ours, or a peer's. Each call measures anew and leaves nothing running. */
type Subject = () => Promise<Measurement>;

/** The subjects have names; `ours` is the one that the others are held against. */
export type Case = { readonly name: string } & (
  | { readonly subjects: Readonly<Record<string, Subject>> }
  /** Measures all at once, in turn: what takes so little that the machine's moods would decide between them. */
  | { readonly inTurn: () => Promise<Readonly<Record<string, Measurement>>> }
);

/** Measures every subject of a case once, or ours and those peers that are named. */
export async function* measured(
  of: Case,
  against: readonly string[] = [],
): AsyncGenerator<readonly [subject: string, Measurement]> {
  const isWanted = (subject: string): boolean =>
    against.length === 0 || subject === OURS || against.includes(subject);
  if ('inTurn' in of) yield* Object.entries(await of.inTurn()).filter(([subject]) => isWanted(subject));
  else
    for (const [subject, measure] of Object.entries(of.subjects))
      if (isWanted(subject)) yield [subject, await measure()];
}

/** Those cases that are named, or all. @throws Error that tells which there are. */
export function casesNamed(cases: readonly Case[], names: readonly string[]): readonly Case[] {
  const unknown = names.find((name) => !cases.some((of) => of.name === name));
  if (unknown !== undefined)
    throw new Error(`--case ${unknown}: its cases are ${cases.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? cases : cases.filter(({ name }) => names.includes(name));
}

export interface Bench {
  readonly name: string;
  readonly summary: string;
  /** Whether more or less of a metric is better: it decides which case is the worst. Others only inform. */
  readonly better: Readonly<Record<string, 'more' | 'less'>>;
  /** Lays what the cases need; `dispose` removes it. */
  prepare(say: (line: string) => void): Promise<AsyncDisposable & { readonly cases: readonly Case[] }>;
}

interface Row {
  readonly case: string;
  readonly subject: string;
  readonly metric: string;
  /** The median. */
  readonly value: number;
}

export interface BenchResult {
  readonly bench: string;
  readonly rows: readonly Row[];
  /** `<case>/<metric>.vs_<peer>`: ours by the peer's; `<metric>.vs_<peer>`: that of the worst case. */
  readonly ratios: Readonly<Record<string, number>>;
}

export const OURS = 'ours';

/** Medians of every series of samples, and their ratios. */
export function summarise(
  bench: Pick<Bench, 'name' | 'better'>,
  samples: readonly { readonly case: string; readonly subject: string; readonly measurement: Measurement }[],
): BenchResult {
  const series = new Map<string, { row: Omit<Row, 'value'>; values: number[] }>();
  for (const { case: name, subject, measurement } of samples) {
    for (const [metric, value] of Object.entries(measurement)) {
      const key = `${name} ${subject} ${metric}`;
      const held = series.get(key) ?? { row: { case: name, subject, metric }, values: [] };
      held.values.push(value);
      series.set(key, held);
    }
  }
  const rows = Array.from(series.values(), ({ row, values }) => ({ ...row, value: median(values) }));
  return { bench: bench.name, rows, ratios: ratiosOf(rows, bench.better) };
}

function ratiosOf(rows: readonly Row[], better: Bench['better']): Record<string, number> {
  const ratios: Record<string, number> = {};
  const worst: Record<string, number> = {};
  for (const peer of rows) {
    const direction = better[peer.metric];
    const ours = rows.find(
      (row) => row.subject === OURS && row.case === peer.case && row.metric === peer.metric,
    );
    if (peer.subject === OURS || direction === undefined || ours === undefined) continue;
    const ratio = ours.value / peer.value;
    const name = `${peer.metric}.vs_${peer.subject}`;
    ratios[`${peer.case}/${name}`] = ratio;
    const pick = direction === 'more' ? Math.min : Math.max;
    worst[name] = pick(worst[name] ?? ratio, ratio);
  }
  return { ...ratios, ...worst };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper = Number.NaN, lower = upper] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}

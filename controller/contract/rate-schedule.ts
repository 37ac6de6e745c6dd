import { z } from 'zod';

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');

const TimeZone = z.string().max(64).refine(isTimeZone, 'must be a time zone such as Europe/Berlin or UTC');

const BytesPerSecond = z.int().positive();

/** At which times of the day how many bytes a second may pass; the first window that holds the time counts. */
export const RateSchedule = z.strictObject({
  /** Outside the windows; no cap where it is left out. */
  bytesPerSecond: BytesPerSecond.optional(),
  /** Whose days they are. */
  timeZone: TimeZone.default('UTC'),
  windows: z
    .array(
      z
        .strictObject({
          from: TimeOfDay,
          /** Up to here, and not at it; at or before `from` it is of the next day. */
          to: TimeOfDay,
          /** No cap where it is left out. */
          bytesPerSecond: BytesPerSecond.optional(),
        })
        .refine(({ from, to }) => from !== to, 'must end at another time than it begins'),
    )
    .max(24)
    .default([]),
});
export type RateSchedule = z.infer<typeof RateSchedule>;

/** The cap at a moment, in bytes a second; undefined where there is none. Pure. */
export function rateAt(schedule: RateSchedule, now: Date): number | undefined {
  const time = timeOfDay(now, schedule.timeZone);
  const window = schedule.windows.find(({ from, to }) =>
    from < to ? from <= time && time < to : from <= time || time < to,
  );
  return (window ?? schedule).bytesPerSecond;
}

/** The least of several schedules' caps, which `sharers` have together; undefined where none has one. Pure. */
export function sharedRateAt(
  schedules: readonly RateSchedule[],
  sharers: number,
  now: Date,
): number | undefined {
  const caps = schedules.map((schedule) => rateAt(schedule, now)).filter((cap) => cap !== undefined);
  return caps.length === 0 ? undefined : Math.max(1, Math.floor(Math.min(...caps) / Math.max(1, sharers)));
}

const UNITS = { bit: 1 / 8, kbit: 1e3 / 8, Mbit: 1e6 / 8, Gbit: 1e9 / 8 } as const;

/** `200Mbit` in bytes a second; undefined where it is none. Units as of tc(8): powers of ten, in bits. */
export function parseRate(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(bit|kbit|Mbit|Gbit)$/.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit as keyof typeof UNITS] ?? Number.NaN));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** The other way round, in the largest unit of which it is at least one. */
export function rateText(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  const [name, size] = (
    [
      ['Gbit', 1e9],
      ['Mbit', 1e6],
      ['kbit', 1e3],
    ] as const
  ).find(([, each]) => bits >= each) ?? ['bit', 1];
  return `${Number((bits / size).toFixed(3))}${name}`;
}

function timeOfDay(now: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(now);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

import { z } from 'zod';

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Weekday = (typeof WEEKDAYS)[number];

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');

/** When machines may be taken on. One that is in flight when the window closes goes on to its end. */
export const RolloutWindow = z.strictObject({
  /** On which it begins. */
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .max(7)
    .default([...WEEKDAYS]),
  from: TimeOfDay,
  /** Up to here, and not at it; at or before `from` it is of the next day. */
  to: TimeOfDay,
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'must be a time zone such as Europe/Berlin or UTC')
    .default('UTC'),
});
export type RolloutWindow = z.infer<typeof RolloutWindow>;

/** Whether machines may be taken on at a moment. Pure. */
export function isWithin({ days, from, to, timeZone }: RolloutWindow, now: Date): boolean {
  const { day, time } = clockAt(now, timeZone);
  if (from < to) return days.includes(day) && from <= time && time < to;
  if (from <= time) return days.includes(day);
  return time < to && days.includes(dayBefore(day));
}

/** `mon,tue 22:00-04:00 Europe/Berlin`; days and zone may be left out. @throws RangeError */
export function parseWindow(text: string): RolloutWindow {
  const [, days, from, to, timeZone] =
    /^(?:([a-z,]+)\s+)?(\d\d:\d\d)-(\d\d:\d\d)(?:\s+(\S+))?$/.exec(text.trim()) ?? [];
  const parsed = RolloutWindow.safeParse({
    ...(days === undefined ? {} : { days: days.split(',') }),
    ...{ from, to },
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  if (parsed.success) return parsed.data;
  throw new RangeError("is no window such as 'mon,tue 22:00-04:00 Europe/Berlin'");
}

export function windowText({ days, from, to, timeZone }: RolloutWindow): string {
  const named = days.length === WEEKDAYS.length ? '' : `${days.join(',')} `;
  return `${named}${from}-${to} ${timeZone}`;
}

function dayBefore(day: Weekday): Weekday {
  return WEEKDAYS.at(WEEKDAYS.indexOf(day) - 1) ?? 'sun';
}

function clockAt(now: Date, timeZone: string): { readonly day: Weekday; readonly time: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(now);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return {
    day: part('weekday').toLowerCase() as Weekday,
    time: `${part('hour')}:${part('minute')}`,
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

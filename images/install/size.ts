import { z } from 'zod';

const UNITS = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const SIZE = /^(\d{1,7}) ?(MiB|GiB|TiB)$/;

/** A length on a disk, as operators write it: `20GiB`. Powers of two alone, so that nobody must guess. */
export const Size = z.string().regex(SIZE, 'must be a whole number of MiB, GiB or TiB, such as 20GiB');
export type Size = z.infer<typeof Size>;

/** @param size as `Size` has checked it. @returns bytes. */
export function bytesOf(size: Size): number {
  const [, number, unit = 'MiB'] = SIZE.exec(size) ?? [];
  return Number(number) * UNITS[unit as keyof typeof UNITS];
}

/** The largest unit in which it has at most one digit behind the point: `18.5 GiB`. */
export function sizeText(bytes: number): string {
  const [unit, length] = Object.entries(UNITS).findLast(([, each]) => bytes >= each) ?? ['MiB', UNITS.MiB];
  return `${Math.round((bytes / length) * 10) / 10} ${unit}`;
}

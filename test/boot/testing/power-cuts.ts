import { randomFrom } from '../../lab/index.ts';
import type { LoggedWrite } from './write-log.ts';

export interface PowerCut {
  /** How many of the writes the machine had asked for. */
  readonly count: number;
  /** Whether a write that was in the disk's cache was kept. */
  readonly chance: () => boolean;
  /** Whether the installation is to be gone on with from there. */
  readonly isResumed: boolean;
}

/**
 * Where the power is cut: half of the cuts at any write, the others near what decides whether the disk starts: writes to
 * its first sectors, and the end. Every second disk had kept all that it was asked for, the others by chance.
 * @param seed the same one gives the same cuts of the same log.
 */
export function planCuts(log: readonly LoggedWrite[], cuts: number, seed: number): readonly PowerCut[] {
  const random = randomFrom(seed);
  const decisive = log.flatMap(({ kind, start }, index) =>
    kind === 'write' && start < 2 ** 21 ? [index] : [],
  );
  const anyOf = (length: number): number => Math.floor(random() * length);
  return Array.from({ length: cuts }, (_, index): PowerCut => {
    const near = decisive[anyOf(decisive.length)] ?? 0;
    const count = index % 2 === 0 ? anyOf(log.length) + 1 : near + anyOf(3);
    const isKept = index % 4 < 2;
    return { count, chance: () => isKept || random() < 0.5, isResumed: index % 10 === 0 };
  });
}

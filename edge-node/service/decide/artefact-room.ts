/** An artefact on the disk that nothing wants any more. */
export interface UnwantedArtefact {
  readonly sha256: string;
  readonly bytes: number;
  readonly lastWantedAt: Date;
}

export interface KeepLimits {
  /** How long it is kept, so that going back to it costs nothing. */
  readonly keepMs: number;
  /** Of all that nothing wants. */
  readonly mostBytes: number;
}

/** Which are to go: those that were wanted too long ago, and the least recent of those that are too much together. */
export function expired<Unwanted extends UnwantedArtefact>(
  unwanted: readonly Unwanted[],
  now: Date,
  { keepMs, mostBytes }: KeepLimits,
): readonly Unwanted[] {
  const old = unwanted.filter(({ lastWantedAt }) => now.getTime() - lastWantedAt.getTime() > keepMs);
  const young = unwanted.filter((each) => !old.includes(each));
  return [...old, ...sacrificed(young, bytesOf(young) - mostBytes)];
}

/** Which are to go for `bytes` of room: the least recently wanted ones, and none where all of them are not enough. */
export function sacrificed<Unwanted extends UnwantedArtefact>(
  unwanted: readonly Unwanted[],
  bytes: number,
): readonly Unwanted[] {
  if (bytes <= 0 || bytesOf(unwanted) < bytes) return [];
  const oldestFirst = unwanted.toSorted((a, b) => a.lastWantedAt.getTime() - b.lastWantedAt.getTime());
  let freed = 0;
  const needed = oldestFirst.findIndex((each) => {
    freed += each.bytes;
    return freed >= bytes;
  });
  return oldestFirst.slice(0, needed + 1);
}

function bytesOf(artefacts: readonly UnwantedArtefact[]): number {
  return artefacts.reduce((sum, { bytes }) => sum + bytes, 0);
}

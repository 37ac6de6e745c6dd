import { type Release, Retention } from '@bootswarm/controller/contract';
import { type ReleaseId, releaseId } from '@bootswarm/images/format';
import type { StateStore } from '../store/state-store.ts';

const KEY = 'retention';
const DAY_MS = 24 * 3600 * 1000;

/** One document, replaced as a whole. Before the first, every release stays. */
export class RetentionSetting {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async show(): Promise<Retention> {
    return Retention.parse((await this.#store.get(KEY))?.value ?? {});
  }

  async replace(retention: Retention): Promise<Retention> {
    await this.#store.commit({ put: { [KEY]: retention } });
    return retention;
  }
}

/**
 * The releases that retention lets go, oldest first, whether or not something names them. A named one counts among the
 * newest all the same, so that naming an old one costs no newer one its place.
 */
export function beyondRetention(releases: readonly Release[], retention: Retention, now: Date): Release[] {
  const series = Map.groupBy(releases, ({ manifest }) => `${manifest.name}/${manifest.architecture}`);
  const beyond = Array.from(series.values()).flatMap((of) => {
    const rule = retention.series[of[0]?.manifest.name ?? ''] ?? retention.everywhere;
    if (rule === undefined) return [];
    const { keep, days = 0 } = rule;
    const since = new Date(now.getTime() - days * DAY_MS).toISOString();
    return of
      .toSorted(byTime)
      .slice(0, -keep)
      .filter(({ publishedAt }) => publishedAt < since);
  });
  return beyond.toSorted(byTime);
}

/** The order of texts is the order of time; releases of one moment go by their names. */
function byTime(a: Release, b: Release): number {
  return compare(a.publishedAt, b.publishedAt) || compare(idOf(a), idOf(b));
}

function idOf({ manifest }: Release): ReleaseId {
  return releaseId(manifest);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

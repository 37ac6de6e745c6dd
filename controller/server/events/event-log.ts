import {
  EVENT_PAGE_MOST,
  type Event,
  type EventPage,
  isWantedKind,
  problem,
} from '@bootswarm/controller/contract';
import { LongPolls } from '../store/long-poll.ts';
import { type Entry, logCountKey, logKey, logPrefix, type StateStore } from '../store/state-store.ts';
import { EVENT_LOG } from './recorded-store.ts';

/** Events are kept until there are so many, or they are so old: the oldest go first, a chunk at a time. */
export interface EventBounds {
  readonly most: number;
  readonly days: number;
  readonly chunk: number;
}

/** About 40 MB of state; a month is what an audit asks for. */
const BOUNDS: EventBounds = { most: 100_000, days: 30, chunk: 1000 };

/** What of the events is wanted; all of them where nothing is said. */
export interface Wanted {
  readonly kind?: readonly string[] | undefined;
  /** A machine's id. */
  readonly machine?: string | undefined;
}

const PREFIX = logPrefix(EVENT_LOG);
/** Events that one call looks through before it answers, found or not: it gives a cursor to go on from. */
const LOOK_MOST = 5000;
const DAY_MS = 24 * 3600 * 1000;

/** The numbered stream of what happened here. `RecordedStore` writes it. */
export class EventLog {
  readonly #store: StateStore;
  readonly #bounds: EventBounds;
  readonly #polls: LongPolls;

  constructor(store: StateStore, bounds: EventBounds = BOUNDS) {
    this.#store = store;
    this.#bounds = bounds;
    this.#polls = new LongPolls(store);
  }

  /** How many events there ever were: the number of the newest. */
  async newest(): Promise<number> {
    return ((await this.#store.get(logCountKey(EVENT_LOG)))?.value as number | undefined) ?? 0;
  }

  /** The number of the oldest that is kept; one more than the newest where none is. */
  async oldest(): Promise<number> {
    const [entry] = await this.#store.list(PREFIX, { limit: 1 });
    return entry ? numberOf(entry) : (await this.newest()) + 1;
  }

  /** Up to `limit` events behind `after` that are wanted. @throws Problem events_gone */
  async page(after: number, wanted: Wanted, limit = EVENT_PAGE_MOST): Promise<EventPage> {
    const oldest = await this.oldest();
    if (after > 0 && after < oldest - 1)
      throw problem('events_gone', { facts: { gone: oldest - 1, oldest } });
    const newest = await this.newest();
    const events: Event[] = [];
    let cursor = Math.min(after, newest);
    for (let looked = 0; looked < LOOK_MOST; ) {
      const entries = await this.#store.list(PREFIX, {
        after: logKey(EVENT_LOG, cursor),
        limit: Math.min(limit, EVENT_PAGE_MOST),
      });
      for (const entry of entries) {
        cursor = numberOf(entry);
        const event = wantedOf(eventOf(entry), wanted);
        if (event) events.push(event);
        if (events.length === limit) return { events, cursor, more: cursor < newest, oldest };
      }
      if (entries.length === 0) break;
      looked += entries.length;
    }
    return { events, cursor, more: cursor < newest, oldest };
  }

  /** The cursor before the first event from `since` on: the log is searched, not read, for its numbers are in order of time. */
  async cursorAt(since: string): Promise<number> {
    let [low, high] = [await this.oldest(), (await this.newest()) + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const entry = await this.#store.get(logKey(EVENT_LOG, middle));
      // Gone meanwhile, so it was older than all that are kept.
      if (entry === undefined || eventOf(entry).at < since) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * A page as soon as there is more behind `after`, wanted or not; undefined when `waitMs` or `signal` ended the wait.
   * @throws Problem events_gone
   */
  next(after: number, wanted: Wanted, waitMs: number, signal: AbortSignal): Promise<EventPage | undefined> {
    const look = async (): Promise<EventPage | undefined> =>
      (await this.newest()) > after ? this.page(after, wanted) : undefined;
    return this.#polls.next(look, waitMs, signal);
  }

  /** Removes what is beyond the bounds. @returns how many went. */
  async trim(now: Date): Promise<number> {
    const { most, days, chunk } = this.#bounds;
    const tooOld = new Date(now.getTime() - days * DAY_MS).toISOString();
    let gone = 0;
    for (;;) {
      const newest = await this.newest();
      const entries = await this.#store.list(PREFIX, { limit: chunk });
      const beyond = entries.filter(
        (entry) => numberOf(entry) <= newest - most || eventOf(entry).at < tooOld,
      );
      // A whole chunk at a time, so that a log at its bound is not trimmed with every event.
      if (beyond.length < chunk) return gone;
      await this.#store.commit({ remove: beyond.map(({ key }) => key) });
      gone += beyond.length;
    }
  }

  /** Ends every wait, and lets nobody wait any more. */
  stop(): void {
    this.#polls.stop();
  }
}

function numberOf({ key }: Entry): number {
  return Number(key.slice(PREFIX.length));
}

function eventOf(entry: Entry): Event {
  return { number: numberOf(entry), ...(entry.value as Omit<Event, 'number'>) };
}

/** The event as who wants it is told of it: of records, only those of the machine that is asked for. */
function wantedOf(event: Event, { kind, machine }: Wanted): Event | undefined {
  if (!isWantedKind(event.kind, kind)) return undefined;
  if (machine === undefined) return event;
  const records = event.kind === 'machine.journal' ? event.records?.filter(({ of }) => of === machine) : [];
  if (records && records.length > 0) return { ...event, subject: machine, records };
  return event.kind.startsWith('machine.') && event.subject === machine ? event : undefined;
}

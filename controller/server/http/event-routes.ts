import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Event, endpoints, problem } from '@bootswarm/controller/contract';
import type { EventLog, Wanted } from '../events/event-log.ts';
import type { Services } from '../services.ts';
import { type Api, serve } from './adapter.ts';

/** Each holds a connection and wakes with every commit. */
const STREAMS_MOST = 100;
/** Sent while nothing happens, so that neither side nor a proxy between takes the other for gone. */
const HEARTBEAT_MS = 15_000;
/** Who takes nothing for so long is cut off. Nothing was gathered for it: it resumes from the log. */
const SLOW_MS = 20_000;

export interface StreamTimes {
  readonly heartbeatMs: number;
  readonly slowMs: number;
}

export function addEventRoutes(
  api: Api,
  { events, machines }: Services,
  times: StreamTimes = { heartbeatMs: HEARTBEAT_MS, slowMs: SLOW_MS },
): void {
  const wantedOf = async ({ kind, machine }: Wanted): Promise<Wanted> => ({
    kind,
    machine: machine === undefined ? undefined : (await machines.show(machine)).id,
  });
  serve(api, endpoints.listEvents, async ({ query }) => {
    const { after, since, limit } = query;
    const from = after ?? (since === undefined ? 0 : await events.cursorAt(since));
    return events.page(from, await wantedOf(query), limit);
  });

  let streams = 0;
  serve(api, endpoints.streamEvents, async ({ query }, { node: { incoming, outgoing }, signal }) => {
    if (streams >= STREAMS_MOST) throw problem('events_crowded', { facts: { most: STREAMS_MOST } });
    streams += 1;
    try {
      const lastId = cursorOf(incoming.headers['last-event-id']);
      const after = lastId ?? query.after ?? (await events.newest());
      const wanted = await wantedOf(query);
      // What is gone is answered as a problem, and not as a stream that ends.
      await events.page(after, wanted, 1);
      await stream(events, { after, wanted }, outgoing as ServerResponse, times, signal);
    } finally {
      streams -= 1;
    }
    return undefined;
  });
}

/** @throws Problem input_invalid */
function cursorOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  const number = Number(header);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw problem('input_invalid', {
    field: 'last-event-id',
    facts: { reason: 'must be the number of an event' },
  });
}

/** Ends when the caller goes away or is too slow, when the log is trimmed past it, and when the controller stops. */
async function stream(
  events: EventLog,
  { after, wanted }: { readonly after: number; readonly wanted: Wanted },
  outgoing: ServerResponse,
  { heartbeatMs, slowMs }: StreamTimes,
  signal: AbortSignal,
): Promise<void> {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  outgoing.flushHeaders();
  let cursor = after;
  try {
    while (!signal.aborted) {
      const began = performance.now();
      const page = await events.next(cursor, wanted, heartbeatMs, signal);
      // The waits of a controller that stops end at once.
      if (!page && performance.now() - began < heartbeatMs / 2) break;
      cursor = page?.cursor ?? cursor;
      // An id without data moves the reader's place and is no event to it (HTML, 9.2.6).
      const text = `${(page?.events ?? []).map(eventText).join('')}id: ${cursor}\n\n`;
      if (!outgoing.write(text)) await drained(outgoing, slowMs, signal);
    }
    outgoing.end();
  } catch {
    // Headers are gone: a reader that comes back with its last id is told why.
    outgoing.destroy();
  }
}

function eventText(event: Event): string {
  return `id: ${event.number}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** @throws AbortError after `slowMs`. */
async function drained(outgoing: ServerResponse, slowMs: number, signal: AbortSignal): Promise<void> {
  await once(outgoing, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(slowMs)]) });
}

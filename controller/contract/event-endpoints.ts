import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { EventPage, EventSelection } from './event.ts';
import { Instant } from './names.ts';

/** Most events in one answer. */
export const EVENT_PAGE_MOST = 1000;

const After = z.coerce.number().int().min(0);

export const eventEndpoints = {
  listEvents: {
    method: 'get',
    path: '/v1/events',
    summary:
      'What happened at the controller, in order, and who did it. `cursor` is the `after` of the next call',
    audience: 'operator',
    query: z.object({
      ...EventSelection,
      /** 0, or nothing: from the oldest that is kept. */
      after: After.optional(),
      /** In the place of `after`: begins with the first event from then on. */
      since: Instant.optional(),
      limit: z.coerce.number().int().min(1).max(EVENT_PAGE_MOST).default(100),
    }),
    result: EventPage,
  },
  streamEvents: {
    method: 'get',
    path: '/v1/events/stream',
    summary:
      'Events as they happen, as Server-Sent Events. Without `after` and Last-Event-ID, from now on. A reader that is too slow is cut off, and resumes',
    audience: 'operator',
    query: z.object({ ...EventSelection, after: After.optional() }),
    result: 'bytes',
    mediaType: 'text/event-stream',
  },
} as const satisfies Readonly<Record<string, Endpoint>>;

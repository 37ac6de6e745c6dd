import { type Client, Event, endpoints, isAway, type Request } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { readSse, SSE_START } from './sse.ts';

/** How soon a controller that is away is asked again: longer each time. */
const AGAIN_MS = [250, 500, 1000, 2000, 5000] as const;
/** The controller says something every 15 s: who is silent for longer is gone, though TCP may not know yet. */
const SILENT_MS = 40_000;
/** Past every event there is, for a call that asks for none but the newest's number. */
const LATE = '9999-12-31T23:59:59.999Z';

type Selection = NonNullable<Request<typeof endpoints.streamEvents>['query']>;

/**
 * Events behind `after`, or from now on where it is left out: each once and in order, also where the connection breaks
 * or the controller starts again meanwhile. Ends with `signal`.
 * @throws Problem events_gone where the controller no longer keeps what came next, token_missing and others that do not pass.
 */
export async function* followEvents(
  client: Client,
  { after, ...selection }: Selection,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<Event, void> {
  let place = after === undefined ? undefined : Number(after);
  for (let failures = 0; !signal.aborted; ) {
    const silence = new AbortController();
    try {
      place ??= await newestOf(client, selection, signal);
      const query = { ...selection, after: place };
      const ends = AbortSignal.any([signal, silence.signal]);
      const response = await client.fetch(endpoints.streamEvents, { query }, { signal: ends });
      for await (const { event, id } of messagesOf(response, silence)) {
        failures = 0;
        place = id;
        if (event) yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!silence.signal.aborted && !isPassing(error)) throw error;
    }
    await pause(AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)] ?? 0, signal);
    failures += 1;
  }
}

async function newestOf(client: Client, selection: Selection, signal: AbortSignal): Promise<number> {
  const query = { ...selection, since: LATE, limit: 1 };
  return (await client.call(endpoints.listEvents, { query }, { signal })).cursor;
}

interface Told {
  readonly id: number;
  /** undefined where the controller only tells how far it is. */
  readonly event?: Event;
}

async function* messagesOf(response: Response, silence: AbortController): AsyncGenerator<Told, void> {
  const decoder = new TextDecoder();
  let state = SSE_START;
  const timer = setTimeout(() => silence.abort(), SILENT_MS);
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      const read = readSse(state, decoder.decode(chunk, { stream: true }));
      for (const { id, data } of read.messages)
        yield { id: Number(id), event: Event.parse(JSON.parse(data)) };
      if (read.state.id !== state.id) yield { id: Number(read.state.id) };
      state = read.state;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A stream that breaks is no Problem: fetch throws what it likes there. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Problem)) return error instanceof TypeError;
  return error.code === 'controller_unreachable' || error.code === 'events_crowded' || isAway(error);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}

/** A message of a stream of Server-Sent Events. */
export interface SseMessage {
  /** The last id of the stream up to here; empty where there was none. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** What was read of a stream and is no message yet. */
export interface SseState {
  /** Text without its line's end. */
  readonly rest: string;
  readonly id: string;
  readonly event: string;
  readonly data: readonly string[];
  readonly isBegun: boolean;
}

export const SSE_START: SseState = { rest: '', id: '', event: '', data: [], isBegun: false };

/**
 * Reads more of a stream (HTML, 9.2.6: `text/event-stream`), however it was cut. An id without data is no message, and
 * counts as the place to go on from: it is in the state.
 */
export function readSse(
  state: SseState,
  chunk: string,
): { readonly state: SseState; readonly messages: readonly SseMessage[] } {
  let { id, event } = state;
  let data = [...state.data];
  const messages: SseMessage[] = [];
  const text = state.isBegun || chunk === '' ? chunk : chunk.replace(/^\uFEFF/, '');
  const lines = (state.rest + text).split(/\r\n|\n|\r(?!$)/);
  const rest = lines.pop() ?? '';
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) messages.push({ id, event: event || 'message', data: data.join('\n') });
      [event, data] = ['', []];
      continue;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
  return { state: { rest, id, event, data, isBegun: state.isBegun || chunk !== '' }, messages };
}

import type { Event, WebhookOutcome, WebhookWithSecret } from '@bootswarm/controller/contract';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import { send } from '../outgoing/send.ts';
import { signedHeaders } from '../outgoing/signature.ts';

/** From the first byte to the status. */
const ANSWER_MS = 10_000;

/** By which a receiver tells what it has been sent before: the same at every attempt, and no other event's. */
function idOf({ number }: Event): string {
  return `evt_${number}`;
}

/**
 * Sends an event once. A redirect is no delivery.
 * @returns whether the answer was 2xx. It throws nothing.
 */
export async function sendOnce(
  { url, secret }: WebhookWithSecret,
  event: Event,
  isAllowed: NetworkRule,
  signal: AbortSignal,
  id = idOf(event),
): Promise<WebhookOutcome> {
  const body = JSON.stringify(event);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'bootswarm-webhook',
    ...signedHeaders(secret, id, new Date(), body),
  };
  try {
    const terms = { isAllowed, signal, withinMs: ANSWER_MS };
    const status = await send(new URL(url), { method: 'POST', headers, body }, terms);
    return { delivered: status >= 200 && status < 300, answer: `HTTP ${status}` };
  } catch (error) {
    return { delivered: false, answer: (error as Error).message.slice(0, 300) || 'the connection failed' };
  }
}

import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Event, WebhookOutcome, WebhookWithSecret } from '@bootswarm/controller/contract';
import type { NetworkRule } from './network-rule.ts';

/** From the first byte to the status; what comes behind it is not read. */
const ANSWER_MS = 10_000;

/** Headers of Standard Webhooks: who has the secret can tell that this body is ours, and from when. */
function signedHeaders(
  { secret }: Pick<WebhookWithSecret, 'secret'>,
  id: string,
  seconds: number,
  body: string,
): Record<string, string> {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}

/** By which a receiver tells what it has been sent before: the same at every attempt, and no other event's. */
function idOf({ number }: Event): string {
  return `evt_${number}`;
}

/**
 * Sends an event once. A redirect is no delivery and is not followed. The name is looked up here and the connection
 * made to the very address that was checked: a name server that answers otherwise a moment later gains nothing.
 * @returns whether the answer was 2xx. It throws nothing.
 */
export async function sendOnce(
  webhook: WebhookWithSecret,
  event: Event,
  isAllowed: NetworkRule,
  signal: AbortSignal,
  id = idOf(event),
): Promise<WebhookOutcome> {
  const body = JSON.stringify(event);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'bootswarm-webhook',
    ...signedHeaders(webhook, id, Math.floor(Date.now() / 1000), body),
  };
  const stop = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const address = await addressOf(new URL(webhook.url), isAllowed);
    const status = await post(new URL(webhook.url), address, headers, body, stop);
    return { delivered: status >= 200 && status < 300, answer: `HTTP ${status}` };
  } catch (error) {
    const late = stop.aborted && !signal.aborted;
    const reason = late ? `no answer within ${ANSWER_MS / 1000} s` : (error as Error).message;
    return { delivered: false, answer: reason.slice(0, 300) || 'the connection failed' };
  }
}

/** @throws where the name has no address, or any that is not allowed. */
export async function addressOf({ hostname }: URL, isAllowed: NetworkRule): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host) ? [{ address: host }] : await lookup(host, { all: true });
  const refused = found.find(({ address }) => !isAllowed(address));
  if (refused) throw new Error(`${refused.address} is in a network that webhooks may not be in`);
  const [first] = found;
  if (!first) throw new Error(`${host} has no address`);
  return first.address;
}

function post(
  url: URL,
  address: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const family = isIP(address);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        headers,
        agent: false,
        signal,
        lookup: (_, { all }, callback) =>
          all ? callback(null, [{ address, family }]) : callback(null, address, family),
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        // An answer of any length costs nothing: it is not read.
        response.on('error', () => {}).destroy();
      },
    );
    sent.on('error', reject).end(body);
  });
}

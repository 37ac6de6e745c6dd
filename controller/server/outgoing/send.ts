import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { NetworkRule } from './network-rule.ts';

/** What is sent to a URL that an operator named. */
export interface Message {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface SendTerms {
  readonly isAllowed: NetworkRule;
  readonly signal: AbortSignal;
  /** From the lookup of the name to the status. */
  readonly withinMs: number;
}

/** Nothing is sent there, and trying again would not change that. */
export class AddressRefused extends Error {}

/**
 * Sends once. A redirect is not followed, and what comes behind the status is not read. The name is looked up here and
 * the connection made to the very addresses that were checked: a name server that answers otherwise a moment later
 * gains nothing.
 * @returns the HTTP status.
 * @throws AddressRefused, the signal's reason, or an Error that says why nothing was answered.
 */
export async function send(
  url: URL,
  message: Message,
  { isAllowed, signal, withinMs }: SendTerms,
): Promise<number> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  try {
    // A name server may be silent for longer than anybody waits.
    const addresses = await Promise.race([addressesOf(url, isAllowed), endOf(stop)]);
    return await exchange(url, message, addresses, stop);
  } catch (error) {
    signal.throwIfAborted();
    if (stop.aborted) throw new Error(`no answer within ${Math.ceil(withinMs / 1000)} s`);
    // Of several addresses each has its own reason.
    const reasons: unknown[] = error instanceof AggregateError ? error.errors : [];
    if (reasons.length === 0) throw error;
    throw new Error(reasons.map((each) => (each as Error).message).join('; '), { cause: error });
  }
}

/** @throws AddressRefused where any of them is not allowed; Error where the name has none. */
export async function addressesOf(
  { hostname }: URL,
  isAllowed: NetworkRule,
): Promise<readonly LookupAddress[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const found = family > 0 ? [{ address: host, family }] : await lookup(host, { all: true });
  const refused = found.find(({ address }) => !isAllowed(address));
  if (refused)
    throw new AddressRefused(
      `${refused.address} is in a network that nothing is sent to, as --webhook-network of the controller stands`,
    );
  return found;
}

function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function exchange(
  url: URL,
  { method, headers = {}, body = '' }: Message,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const length = method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  const [{ address, family } = { address: '', family: 0 }] = addresses;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: { ...headers, ...length },
        agent: false,
        signal,
        lookup: (_, { all }, callback) =>
          all ? callback(null, [...addresses]) : callback(null, address, family),
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

import { isIP } from 'node:net';
import { type Machine, problem, type RolloutOrder } from '@bootswarm/controller/contract';
import type { NetworkRule } from '../outgoing/network-rule.ts';

const PLACE = /\{(machine|mac|address)\}/g;

/** `{machine}`, `{mac}` and `{address}`: what a machine does not have stays empty. */
export function fillUrl(url: string, { id, macs, address = '' }: Machine): string {
  const facts: Readonly<Record<string, string>> = { machine: id, mac: macs[0] ?? '', address };
  return url.replace(PLACE, (_, name: string) => encodeURIComponent(facts[name] ?? ''));
}

/**
 * That no URL of an order has an address in it to which nothing is sent. What a name stands for, or what is filled in,
 * is looked at whenever it is called.
 * @throws Problem rollout_url_refused
 */
export function requireReachable({ hooks, gates: { health } }: RolloutOrder, isAllowed: NetworkRule): void {
  const urls = {
    'hooks.before.url': hooks.before?.url,
    'hooks.after.url': hooks.after?.url,
    'gates.health.url': health?.kind === 'url' ? health.url : undefined,
  };
  for (const [field, url] of Object.entries(urls)) {
    const address = url === undefined ? undefined : addressIn(url);
    if (address !== undefined && !isAllowed(address))
      throw problem('rollout_url_refused', { field, facts: { url: url ?? '', address } });
  }
}

/** The address that a URL has in the place of a name, however it is written: `0x7f000001` is 127.0.0.1. */
function addressIn(url: string): string | undefined {
  const filled = url.replace(PLACE, 'x');
  if (!URL.canParse(filled)) return undefined;
  const host = new URL(filled).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) > 0 ? host : undefined;
}

import { isDeepStrictEqual } from 'node:util';
import { intentText, Segment } from '@bootswarm/controller/contract';
import { stringify } from 'yaml';
import { factsText } from './output.ts';

/** What an operator would have written: a segment without what holds anyway. */
export function withoutDefaults(segment: Segment): Partial<Segment> {
  const { name, subnet, pools, edges } = segment;
  const plain: Partial<Segment> = Segment.parse({ name, subnet, pools, edges });
  const told = Object.entries(segment).filter(
    ([key, value]) =>
      key in { name, subnet, pools, edges } || !isDeepStrictEqual(value, plain[key as keyof Segment]),
  );
  return Object.fromEntries(told);
}

/** For people: a line for each of the usual facts, and below them whatever else is set, as apply takes it. */
export function segmentText(segment: Segment): string {
  const { name, subnet, edges, router, relays, dnsServers, domain, leaseSeconds, defaultIntent, ...rest } =
    segment;
  const facts = factsText({
    segment: name,
    subnet,
    pools: poolsText(segment),
    router,
    relays: relays.join(' ') || undefined,
    dns: dnsServers.join(' ') || undefined,
    domain,
    lease: `${leaseSeconds} s`,
    edges: edges.join(' '),
    default: intentText(defaultIntent),
  });
  const { pools, ...set } = withoutDefaults(segment);
  const others = Object.entries(set).filter(([key]) => key in rest);
  return others.length === 0 ? facts : `${facts}\n\n${stringify(Object.fromEntries(others)).trimEnd()}`;
}

export function poolsText({ pools }: Segment): string {
  return pools
    .map(({ first, last, classes }) => `${first}-${last}${classes ? ` (${classes.join(', ')})` : ''}`)
    .join(' ');
}

import type { Link } from './host.ts';

/** The cards in the order in which to try them: the one that the machine booted by, those with a carrier, the rest. */
export function linkOrder(links: readonly Link[], bootMac: string | undefined): readonly Link[] {
  const rank = ({ mac, hasLink }: Link): number => (mac === bootMac ? 0 : hasLink ? 1 : 2);
  return links.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

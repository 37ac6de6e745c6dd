import { type Edge, isSilent, readinessOf, type Segment } from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';

/** What decides whether machines of a segment may be sent to its edges. */
export interface EdgesView {
  readonly segments: ReadonlyMap<string, Segment>;
  readonly edges: ReadonlyMap<string, Edge>;
}

/**
 * Why machines of a segment may not be sent to its edges for a release: an edge that is there lacks some of it, or none
 * is there. Of a pair of which one is silent the other serves. Pure.
 * @param manifests of the release, and of the mini image that brings it to the machine; undefined where one is gone.
 */
export function lackOfSegment(
  { segments, edges }: EdgesView,
  segment: string | undefined,
  manifests: readonly (Manifest | undefined)[],
  now: Date,
): string | undefined {
  if (segment === undefined) return 'its segment is not known';
  const named = segments.get(segment)?.edges;
  if (named === undefined) return `there is no segment ${segment}`;
  const there = named.flatMap((name) => edges.get(name) ?? []).filter((edge) => !isSilent(edge, now));
  if (there.length === 0) return `none of its edges was heard of lately: ${named.join(', ')}`;
  for (const manifest of manifests) {
    if (manifest === undefined) return 'the release is not published any more';
    for (const edge of there) {
      const { reason } = readinessOf(manifest, edge, now);
      if (reason !== undefined) return `edge ${edge.name}: ${reason}`;
    }
  }
  return undefined;
}

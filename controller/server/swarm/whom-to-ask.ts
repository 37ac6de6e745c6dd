import type { EdgeSwarmAnswer, SwarmEndpoint } from '@bootswarm/controller/contract';

/** Milliseconds on the caller's clock. */
export interface Progress {
  readonly begunAtMs: number;
  /** When more of it came last, or it began. */
  readonly progressedAtMs: number;
}

/** An edge that told lately where it listens and what it lacks. */
export interface SwarmEdge extends SwarmEndpoint {
  readonly name: string;
  /** Edges of one site have each other near, and what is outside behind a link that they share. */
  readonly site: string | undefined;
  readonly has: ReadonlySet<string>;
  /** By SHA-256: what it fetches just now. */
  readonly fetching: ReadonlyMap<string, Progress>;
}

/** Who gets nothing for so long lets another of its site try, and tries outside itself. */
export const STALLED_MS = 60_000;
/** Of one artefact to one edge. */
const MOST_PEERS = 50;

export type WhomToAsk = EdgeSwarmAnswer['artefacts'][number];

/**
 * Whom an edge may ask for an artefact that it lacks. Pure.
 *
 * One edge of a site fetches from outside: of those whose fetch goes on the one that began first, or the first by name
 * where two began at once. The others have it from that one, and from others there. Where an edge of the site has all of it, nobody fetches from outside. An edge without a site is one
 * of its own.
 * @param edges those that are alive, the asker among them.
 */
export function whomToAsk(
  asker: SwarmEdge,
  sha256: string,
  edges: readonly SwarmEdge[],
  nowMs: number,
): WhomToAsk {
  const fetchers = edges.filter((edge) => fetchesFromOutside(edge, sha256, edges, nowMs));
  const outside = fetchers.includes(asker);
  const others = edges.filter(({ name }) => name !== asker.name);
  const nearby = others.filter((edge) => isNear(asker, edge));
  const away = others.filter((edge) => !isNear(asker, edge));
  const by = outside ? undefined : fetchers.find((edge) => isNear(asker, edge))?.name;
  const sources = [
    ...nearby.filter(({ has, fetching }) => has.has(sha256) || fetching.has(sha256)),
    ...(outside
      ? inTurn(
          asker,
          away.filter((edge) => edge.has.has(sha256) || fetchers.includes(edge)),
        )
      : []),
  ];
  return {
    sha256,
    outside,
    ...(by === undefined ? {} : { by }),
    peers: sources.slice(0, MOST_PEERS).map(({ address, port }) => ({ address, port })),
    fetchers: Math.max(1, fetchers.length),
  };
}

/** How many edges of a site fetch anything from outside, and share its cap. Pure. */
export function rateSharers(asker: SwarmEdge, edges: readonly SwarmEdge[], nowMs: number): number {
  const ours = edges.filter((edge) => edge.name === asker.name || isNear(asker, edge));
  const fetch = (edge: SwarmEdge): boolean =>
    Array.from(edge.fetching.keys()).some((sha256) => fetchesFromOutside(edge, sha256, edges, nowMs));
  return Math.max(1, ours.filter(fetch).length);
}

export function isNear(asker: SwarmEdge, { name, site }: SwarmEdge): boolean {
  return site !== undefined && site === asker.site && name !== asker.name;
}

function fetchesFromOutside(
  edge: SwarmEdge,
  sha256: string,
  edges: readonly SwarmEdge[],
  nowMs: number,
): boolean {
  if (!edge.fetching.has(sha256)) return false;
  if (edge.site === undefined) return true;
  const site = edges.filter((each) => each.site === edge.site);
  const isStalled = ({ fetching }: SwarmEdge): boolean =>
    nowMs - (fetching.get(sha256)?.progressedAtMs ?? 0) >= STALLED_MS;
  if (isStalled(edge)) return true;
  if (site.some(({ has }) => has.has(sha256))) return false;
  const moving = site.flatMap((each) => {
    const progress = each.fetching.get(sha256);
    return progress && !isStalled(each) ? [{ name: each.name, ...progress }] : [];
  });
  const [first] = moving.toSorted((a, b) => a.begunAtMs - b.begunAtMs || (a.name < b.name ? -1 : 1));
  return first?.name === edge.name;
}

/** Those behind the asker by name first, then from the beginning: so each is told to as many as any other. */
function inTurn(asker: SwarmEdge, edges: readonly SwarmEdge[]): readonly SwarmEdge[] {
  const sorted = edges.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const behind = sorted.findIndex(({ name }) => name > asker.name);
  return behind === -1 ? sorted : [...sorted.slice(behind), ...sorted.slice(0, behind)];
}

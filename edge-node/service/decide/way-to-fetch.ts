/** Of an artefact that other artefacts here hold in part, in bytes. */
export interface Lack {
  /** What is missing, to the chunk: HTTP gives any range. */
  readonly byRanges: number;
  /** The pieces of which anything is missing: a swarm gives whole ones. */
  readonly byPieces: number;
}

/**
 * Whether an artefact is better fetched by ranges of the controller's HTTP than out of the swarm of edges: where the
 * controller sends less in all. By ranges it sends to each edge what that one lacks; a swarm takes a piece of it once.
 * @param fetchers edges that lack the artefact as well, this one among them.
 */
export function isBetterByRanges({ byRanges, byPieces }: Lack, fetchers: number): boolean {
  return byRanges * fetchers < byPieces;
}

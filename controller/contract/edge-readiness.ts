import { edgeArtefacts, type Manifest } from '@bootswarm/images/format';
import type { Edge } from './edge.ts';

/** An edge tells of itself at least every 30 s. What one said that was silent for three times that is no longer known. */
const SILENT_MS = 90_000;

/** Whether machines may be sent to an edge for a release, and why not. */
export interface EdgeReadiness {
  readonly edge: string;
  readonly site?: string;
  readonly ready: boolean;
  /** Of what an edge holds of the release: attested hash by hash, and in all. */
  readonly held: number;
  readonly all: number;
  /** Why it is not ready. */
  readonly reason?: string;
}

/** Whether an edge attested every artefact of a release that edges hold, and is there. Pure. */
export function readinessOf(manifest: Manifest, edge: Edge, now: Date): EdgeReadiness {
  const artefacts = edgeArtefacts(manifest);
  const held = new Set(edge.status?.ready ?? []);
  const missing = artefacts.filter(({ sha256 }) => !held.has(sha256));
  const reason = lackOf(edge, missing, now);
  return {
    edge: edge.name,
    ...(edge.site === undefined ? {} : { site: edge.site }),
    ready: reason === undefined,
    held: artefacts.length - missing.length,
    all: artefacts.length,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Whether nobody knows any more what an edge has: machines do not get an answer of it either. Pure. */
export function isSilent({ lastSeenAt }: Pick<Edge, 'lastSeenAt'>, now: Date): boolean {
  return lastSeenAt === undefined || now.getTime() - Date.parse(lastSeenAt) > SILENT_MS;
}

function lackOf(
  { joinedAt, lastSeenAt, status }: Edge,
  missing: Manifest['artefacts'],
  now: Date,
): string | undefined {
  if (joinedAt === undefined) return 'it has not joined yet';
  if (isSilent({ lastSeenAt }, now)) return `it was not heard of since ${lastSeenAt ?? 'it joined'}`;
  const [first] = missing;
  if (!first) return undefined;
  const waiting = status?.waiting.find(({ sha256 }) => sha256 === first.sha256)?.reason;
  return `${first.name}: ${waiting ?? 'nothing of this edge names the release'}`;
}

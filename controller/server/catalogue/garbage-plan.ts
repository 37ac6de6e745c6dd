import type { Garbage, Release, ReleaseUse, Retention } from '@bootswarm/controller/contract';
import { type ReleaseId, releaseId } from '@bootswarm/images/format';
import type { ArtefactFile } from '@bootswarm/images/swarm';
import { beyondRetention } from './retention.ts';

/** A publisher may have sent an artefact and not yet made the release that names it, or may come back to an upload. */
const UPLOAD_GRACE_MS = 24 * 3600 * 1000;

export interface Holdings {
  readonly releases: readonly Release[];
  readonly uses: ReadonlyMap<ReleaseId, readonly ReleaseUse[]>;
  readonly retention: Retention;
  readonly whole: readonly ArtefactFile[];
  readonly partial: readonly ArtefactFile[];
}

/** What nobody needs any more. */
export function garbageOf({ releases, uses, retention, whole, partial }: Holdings, now: Date): Garbage {
  const due = beyondRetention(releases, retention, now).filter(
    ({ manifest }) => !uses.has(releaseId(manifest)),
  );
  const isDue = new Set(due);
  const needed = artefactsOf(releases.filter((release) => !isDue.has(release)));
  const ofDue = artefactsOf(due);
  const isOld = (file: ArtefactFile): boolean => isBeyondGrace(file, now);
  return {
    releases: due.map(({ manifest, publishedAt }) => ({ release: releaseId(manifest), publishedAt })),
    artefacts: whole
      .filter((file) => isOld(file) && !needed.has(file.sha256))
      .map(({ sha256, bytes }) => ({ sha256, bytes, due: ofDue.has(sha256) })),
    uploads: partial.filter(isOld).map(({ sha256, bytes }) => ({ sha256, bytes })),
  };
}

export function isBeyondGrace({ changedAt }: ArtefactFile, now: Date): boolean {
  return now.getTime() - changedAt.getTime() > UPLOAD_GRACE_MS;
}

/** SHA-256 of all that releases name. */
export function artefactsOf(releases: readonly Release[]): ReadonlySet<string> {
  return new Set(releases.flatMap(({ manifest }) => manifest.artefacts.map(({ sha256 }) => sha256)));
}

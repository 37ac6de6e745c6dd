import { ReleaseName, Sha256 } from '@bootswarm/images/format';
import { z } from 'zod';
import { Instant } from './names.ts';
import { ReleaseRef } from './release-ref.ts';
import { MetadataText } from './trust.ts';

/** Which releases of a series stay though nothing names them. Those of each architecture count for themselves. */
export const RetentionRule = z.strictObject({
  /** The newest so many. */
  keep: z.int().min(1).max(10_000),
  /** And those that were published in the last so many days. */
  days: z.int().min(1).max(3650).optional(),
});
export type RetentionRule = z.infer<typeof RetentionRule>;

export const Retention = z.strictObject({
  /** For series without a rule of their own; where it is left out, all their releases stay. */
  everywhere: RetentionRule.optional(),
  /** By name of the series. */
  series: z.record(ReleaseName, RetentionRule).default({}),
});
export type Retention = z.infer<typeof Retention>;

/** Releases to remove, and targets metadata of the next version that does not vouch for them and changes nothing else. */
export const ReleaseRemoval = z.strictObject({
  releases: z.array(ReleaseRef).min(1).max(1000),
  targets: MetadataText,
});
export type ReleaseRemoval = z.infer<typeof ReleaseRemoval>;

/** What nobody needs any more. */
export const Garbage = z.strictObject({
  /** Releases beyond retention that nothing names. Removing one takes the operator's key. */
  releases: z.array(z.strictObject({ release: z.string(), publishedAt: Instant })),
  /** Artefacts that no release names, or only those above. */
  artefacts: z.array(
    z.strictObject({
      sha256: Sha256,
      bytes: z.int().nonnegative(),
      /** Whether it goes only with a release above. */
      due: z.boolean(),
    }),
  ),
  /** Uploads that broke off and were not gone on with. */
  uploads: z.array(z.strictObject({ sha256: Sha256, bytes: z.int().nonnegative() })),
});
export type Garbage = z.infer<typeof Garbage>;

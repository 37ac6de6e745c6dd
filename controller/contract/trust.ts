import { Manifest } from '@bootswarm/images/format';
import { z } from 'zod';

/** Signed metadata of The Update Framework, as its very text. */
export const MetadataText = z.string().min(2).max(1_500_000);

/** A file of metadata as clients of TUF ask for it: `timestamp.json`, `3.root.json`. */
export const TrustFile = z.object({
  file: z
    .string()
    .regex(
      /^(?:[1-9]\d{0,8}\.)?(?:root|timestamp|snapshot|targets)\.json$/,
      'must be timestamp.json, or VERSION.ROLE.json',
    ),
});

/** base64 SPKI public keys that the controller signs snapshots and timestamps with. */
export const OnlineKeys = z.strictObject({ snapshot: z.string(), timestamp: z.string() });
export type OnlineKeys = z.infer<typeof OnlineKeys>;

export const Trust = z.strictObject({
  /** Null until an operator has made the first ones. */
  root: MetadataText.nullable(),
  targets: MetadataText.nullable(),
  snapshot: MetadataText.nullable(),
  timestamp: MetadataText.nullable(),
  onlineKeys: OnlineKeys,
});
export type Trust = z.infer<typeof Trust>;

/** A root, signed by the keys of the one before, and targets where other keys sign them from now on. */
export const RootChange = z.strictObject({ root: MetadataText, targets: MetadataText.optional() });
export type RootChange = z.infer<typeof RootChange>;

/** Targets metadata of the next version, signed. */
export const TargetsChange = z.strictObject({ targets: MetadataText });

/** A release, and targets metadata of the next version that vouches for it and changes nothing else. */
export const Publication = z.strictObject({ manifest: Manifest, targets: MetadataText });
export type Publication = z.infer<typeof Publication>;

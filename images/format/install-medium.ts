import { z } from 'zod';
import { sha256Of } from './digest.ts';
import { Manifest } from './manifest.ts';

/** Where a medium that installs keeps what the mini image needs of it. */
export const MEDIUM_PATHS = {
  document: '/bootswarm/medium.json',
  kernel: '/bootswarm/vmlinuz',
  initramfs: '/bootswarm/initrd.img',
} as const;

/** What a medium installs, and how: the content of `medium.json` on it. */
export const InstallMedium = z.strictObject({
  format: z.literal(1),
  /** Of the release on the medium, with the artefacts that it has. Nobody signed it: whoever holds the medium is trusted. */
  manifest: Manifest,
  /** Paths on the medium, by the names of artefacts. */
  files: z.record(z.string(), z.string().regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/)),
  /** An install profile of kind `image`, as the contract has it. */
  profile: z.record(z.string(), z.unknown()),
});
export type InstallMedium = z.infer<typeof InstallMedium>;

/** By which a medium is known to its own boot menu: 16 hexadecimal digits, that follow from the content of `medium.json`. */
export function mediumId(document: string | Uint8Array): string {
  return sha256Of(document).slice(0, 16);
}

import { z } from 'zod';
import { Name } from './names.ts';
import { ReleaseRef } from './release-ref.ts';
import { SshKey } from './ssh-key.ts';

/** Which disks are wiped, and how. */
export const WipeSettings = z.strictObject({
  /** `auto`: a discard where the disk reads as zeros after it, or else an overwrite, and never by the drive itself. */
  method: z.enum(['auto', 'discard', 'secure-erase', 'overwrite']).default('auto'),
  /** Serial numbers or WWNs of those that are meant. */
  disks: z.union([z.literal('all'), z.array(z.string().min(1).max(200)).min(1).max(64)]),
});

/**
 * What a machine does at its next boot. `live`, `inspect` and `rescue` hold until they are changed: they write to no
 * disk. `menu` shows the menu of its segment.
 */
export const Intent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local') }),
  z.strictObject({ kind: z.literal('menu') }),
  /** Boots the mini image, whose agent reports what the machine is. */
  z.strictObject({ kind: z.literal('inspect') }),
  z.strictObject({
    kind: z.literal('live'),
    release: ReleaseRef,
    /**
     * `agent`: the mini image boots, and its agent verifies the root piece by piece and makes it the machine's system,
     * under the mini image's kernel. Without it the release's own kernel and initramfs do what they do.
     */
    by: z.literal('agent').optional(),
  }),
  /** Runs a distribution's installer, once: it writes to a disk. */
  z.strictObject({ kind: z.literal('installer'), profile: Name }),
  /** The agent installs an image by a profile, once. */
  z.strictObject({
    kind: z.literal('install'),
    profile: Name,
    /** Takes the place of the profile's. */
    release: ReleaseRef.optional(),
  }),
  /** The agent makes what was on disks unreadable, once. */
  z.strictObject({ kind: z.literal('wipe'), ...WipeSettings.shape }),
  /** The agent lets whoever has one of these keys in, and touches no disk. */
  z.strictObject({ kind: z.literal('rescue'), sshKeys: z.array(SshKey).min(1).max(64) }),
]);
export type Intent = z.infer<typeof Intent>;

/** What writes to a disk is done once for each time that it is set: by its epoch. */
export function isSingleUse({ kind }: Pick<Intent, 'kind'>): boolean {
  return kind === 'installer' || kind === 'install' || kind === 'wipe';
}

export function intentText(intent: Intent): string {
  switch (intent.kind) {
    case 'live':
      return `live ${intent.release}${intent.by === undefined ? '' : ' by the agent'}`;
    case 'installer':
      return `installer ${intent.profile}`;
    case 'install':
      return `install ${intent.profile}${intent.release === undefined ? '' : ` with ${intent.release}`}`;
    case 'wipe':
      return `wipe ${intent.disks === 'all' ? 'all disks' : intent.disks.join(', ')} (${intent.method})`;
    case 'rescue':
      return `rescue for ${intent.sshKeys.length === 1 ? 'one key' : `${intent.sshKeys.length} keys`}`;
    default:
      return intent.kind;
  }
}

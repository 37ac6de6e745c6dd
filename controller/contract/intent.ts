import { z } from 'zod';
import { Name } from './names.ts';
import { ReleaseRef } from './release-ref.ts';

/**
 * What a machine does at its next boot. `live` holds until it is changed: it writes to no disk. `menu` shows the
 * menu of its segment.
 */
export const Intent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local') }),
  z.strictObject({ kind: z.literal('menu') }),
  /** Boots the mini image, whose agent reports what the machine is. */
  z.strictObject({ kind: z.literal('inspect') }),
  z.strictObject({ kind: z.literal('live'), release: ReleaseRef }),
  /** Runs a distribution's installer, once: it writes to a disk. */
  z.strictObject({ kind: z.literal('installer'), profile: Name }),
]);
export type Intent = z.infer<typeof Intent>;

export function intentText(intent: Intent): string {
  if (intent.kind === 'installer') return `installer ${intent.profile}`;
  return intent.kind === 'live' ? `live ${intent.release}` : intent.kind;
}

import { z } from 'zod';
import { ReleaseRef } from './release-ref.ts';

/**
 * What a machine does at its next boot. `live` holds until it is changed: it writes to no disk. `menu` shows the
 * menu of its segment.
 */
export const Intent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local') }),
  z.strictObject({ kind: z.literal('menu') }),
  z.strictObject({ kind: z.literal('live'), release: ReleaseRef }),
]);
export type Intent = z.infer<typeof Intent>;

export function intentText(intent: Intent): string {
  return intent.kind === 'live' ? `live ${intent.release}` : intent.kind;
}

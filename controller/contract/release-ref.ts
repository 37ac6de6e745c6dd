import { z } from 'zod';

/**
 * `NAME/VERSION/ARCHITECTURE` of a published release, or `NAME/@CHANNEL/ARCHITECTURE`: the release that a channel
 * points to when an edge is told its desired state.
 */
export const ReleaseRef = z
  .string()
  .regex(
    /^[^/\s@]{1,63}\/@?[^/\s@]{1,63}\/[^/\s@]{1,16}$/,
    'must be NAME/VERSION/ARCHITECTURE or NAME/@CHANNEL/ARCHITECTURE',
  );
export type ReleaseRef = z.infer<typeof ReleaseRef>;

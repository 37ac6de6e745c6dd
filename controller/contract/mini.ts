import { Architecture } from '@bootswarm/images/format';
import { z } from 'zod';
import { ReleaseRef } from './release-ref.ts';

/** The mini image in which machines are inspected and installed, by architecture; left out where there is none. */
export const MiniSetting = z.strictObject(
  Object.fromEntries(Architecture.options.map((each) => [each, ReleaseRef.optional()])) as Readonly<
    Record<Architecture, z.ZodOptional<typeof ReleaseRef>>
  >,
);
export type MiniSetting = z.infer<typeof MiniSetting>;

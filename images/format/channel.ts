import { z } from 'zod';
import { Architecture, ReleaseName, ReleaseVersion } from './manifest.ts';

export const ChannelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 . _ - and start with a letter or digit');

/** Where a channel stands: signed as a whole, so that nobody moves it but who may publish. */
export const ChannelPointer = z.strictObject({
  format: z.literal(1),
  name: ReleaseName,
  channel: ChannelName,
  architecture: Architecture,
  /** Version of `name` for `architecture` that it points to. */
  version: ReleaseVersion,
  /** Where it stood before: what a rollback goes back to. */
  previous: ReleaseVersion.optional(),
  movedAt: z.iso.datetime(),
  /** It stays where it is until it is unpinned. */
  pinned: z.literal(true).optional(),
});
export type ChannelPointer = z.infer<typeof ChannelPointer>;

/** `NAME/@CHANNEL/ARCHITECTURE`, how operators write a channel, and what an intent may name. */
export type ChannelId = string;

export function channelId({
  name,
  channel,
  architecture,
}: Pick<ChannelPointer, 'name' | 'channel' | 'architecture'>): ChannelId {
  return `${name}/@${channel}/${architecture}`;
}

export function isChannelId(reference: string): boolean {
  return reference.split('/')[1]?.startsWith('@') === true;
}

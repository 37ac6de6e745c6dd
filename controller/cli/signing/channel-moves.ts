import { problem as contractProblem } from '@bootswarm/controller/contract';
import { type ChannelPointer, channelId, type Manifest } from '@bootswarm/images/format';
import { problem } from '../problems.ts';

/**
 * How a channel moves. Pure: each gives the pointer that is to be signed, or undefined where nothing changes.
 */

type Release = Pick<Manifest, 'name' | 'version' | 'architecture'>;

/** @throws Problem channel_pinned */
export function promoted(
  held: ChannelPointer | undefined,
  { name, version, architecture }: Release,
  channel: string,
  now: Date,
): ChannelPointer | undefined {
  if (held?.version === version) return undefined;
  requireFree(held);
  const base = { format: 1 as const, name, channel, architecture, version, movedAt: now.toISOString() };
  return held ? { ...base, previous: held.version } : base;
}

/** Back to where it stood before. There is one way back: a second would bring what was bad again. */
export function rolledBack(held: ChannelPointer, now: Date): ChannelPointer {
  requireFree(held);
  const { previous, ...rest } = held;
  if (previous === undefined)
    throw problem('channel_without_previous', { facts: { channel: channelId(held) } });
  return { ...rest, version: previous, movedAt: now.toISOString() };
}

export function pinned(held: ChannelPointer): ChannelPointer | undefined {
  return held.pinned ? undefined : { ...held, pinned: true };
}

export function unpinned({ pinned: isPinned, ...held }: ChannelPointer): ChannelPointer | undefined {
  return isPinned ? held : undefined;
}

function requireFree(held: ChannelPointer | undefined): void {
  if (held?.pinned)
    throw contractProblem('channel_pinned', {
      facts: { channel: channelId(held), version: held.version },
    });
}

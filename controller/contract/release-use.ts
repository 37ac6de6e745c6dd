import { z } from 'zod';

/** What can name a release, so that it stays. Later rooms add a line. */
export const RELEASE_USES = {
  pin: { text: 'an operator pinned it' },
  channel: { text: 'channel {name} points to it' },
  rollback: { text: 'channel {name} goes back to it when it is rolled back' },
  machine: { text: 'machine {name} boots it' },
  segment: { text: 'segment {name} boots it by default' },
  menu: { text: 'the menu of segment {name} offers it' },
  profile: { text: 'profile {name} installs it' },
  rollout: { text: 'rollout {name} brings it to machines' },
  'rollout-back': { text: 'rollout {name} may have to go back to it' },
  assignment: { text: 'assignment {name} installs it' },
  mini: { text: 'it is the mini image of {name} machines' },
} as const;

export const ReleaseUse = z.strictObject({
  kind: z.enum(Object.keys(RELEASE_USES) as [keyof typeof RELEASE_USES]),
  /** Of the channel, machine or segment; of a pin, the release itself. */
  name: z.string(),
});
export type ReleaseUse = z.infer<typeof ReleaseUse>;

export function releaseUseText({ kind, name }: ReleaseUse): string {
  return RELEASE_USES[kind].text.replace('{name}', name);
}

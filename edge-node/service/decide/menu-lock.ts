import { type DesiredState, matchMachine, type Segment, type Sighting } from '@bootswarm/controller/contract';

/** The hash of the password that an entry of the menu asks for; undefined where it asks none, or is not shown. */
export function lockOf(
  sighting: Sighting,
  { defaultIntent, menu }: Pick<Segment, 'defaultIntent' | 'menu'>,
  machines: DesiredState['machines'],
  entry: number,
): string | undefined {
  const intent = matchMachine(machines, sighting)?.intent ?? defaultIntent;
  const picked = menu?.entries[entry];
  const isLocked = intent.kind === 'menu' && picked && 'locked' in picked && picked.locked;
  return isLocked ? menu?.password : undefined;
}

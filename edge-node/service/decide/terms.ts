import type { DhcpClass, PlatformKey } from '@bootswarm/controller/contract';
import type { Client } from './client.ts';
import type { OptionLevel } from './options.ts';
import type { Reserved } from './reservations.ts';
import type { ServedSegment, Site } from './site.ts';

/** What policy holds for one client in one segment. */
export interface Terms {
  readonly classes: readonly DhcpClass[];
  readonly reserved: Reserved | undefined;
  /** The wider first: global, segment, classes, machine. */
  readonly levels: readonly OptionLevel[];
  /** Other boot files than the usual ones. */
  readonly firmware: Readonly<Partial<Record<PlatformKey, string>>>;
  /** The class that is not served at all. */
  readonly refusedBy: DhcpClass | undefined;
}

export function termsOf(client: Client, served: ServedSegment, site: Site): Terms {
  const classes = site.classes.filter((each) => each.holds(client, served.segment.name));
  const reserved = served.reservations.of(client);
  if (classes.length === 0 && !reserved) return plainTerms(served);
  const definitions = classes.map(({ definition }) => definition);
  return {
    classes: definitions,
    reserved,
    levels: [
      served.options,
      ...classes.map(({ options }) => options),
      ...(reserved ? [reserved.options] : []),
    ],
    firmware: Object.assign(
      {},
      served.segment.firmware,
      ...definitions.map(({ firmware }) => firmware),
      reserved?.definition.firmware,
    ) as Terms['firmware'],
    refusedBy: definitions.findLast(({ refuse }) => refuse !== undefined),
  };
}

/** Of most clients: nothing but what holds for everybody. */
function plainTerms({ options, segment }: ServedSegment): Terms {
  return {
    classes: [],
    reserved: undefined,
    levels: [options],
    firmware: segment.firmware,
    refusedBy: undefined,
  };
}

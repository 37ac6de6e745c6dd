import type { DhcpClass, Segment, Sighting } from '@bootswarm/controller/contract';
import { holdsOutsideDhcp } from './known-classes.ts';

export interface TransferCaps {
  readonly blockBytesMost: number;
  readonly windowMost: number;
}

const USUAL: TransferCaps = { blockBytesMost: 1408, windowMost: 16 };

/**
 * Caps of a transfer: the usual ones (boot-protocols.md, quirks 10 and 12), where its segment says nothing else, then
 * narrowed by every class that holds.
 */
export function capsFor(
  segment: Pick<Segment, 'name' | 'tftp'> | undefined,
  classes: readonly Pick<DhcpClass, 'match' | 'tftp'>[],
  client: Sighting | undefined,
): TransferCaps {
  const blockBytesMost = segment?.tftp.blockBytesMost ?? USUAL.blockBytesMost;
  const windowMost = segment?.tftp.windowMost ?? USUAL.windowMost;
  const own = classes.filter(({ match, tftp }) => tftp && holdsOutsideDhcp(match, segment?.name, client));
  return {
    blockBytesMost: Math.min(blockBytesMost, ...own.flatMap(({ tftp }) => tftp?.blockBytesMost ?? [])),
    windowMost: Math.min(windowMost, ...own.flatMap(({ tftp }) => tftp?.windowMost ?? [])),
  };
}

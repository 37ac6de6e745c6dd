import type { DhcpClass, Segment } from '@bootswarm/controller/contract';
import { type Caller, holdsAfterDhcp } from './known-classes.ts';

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
  classes: readonly Pick<DhcpClass, 'name' | 'match' | 'tftp'>[],
  caller: Omit<Caller, 'segment'>,
): TransferCaps {
  const blockBytesMost = segment?.tftp.blockBytesMost ?? USUAL.blockBytesMost;
  const windowMost = segment?.tftp.windowMost ?? USUAL.windowMost;
  const own = classes.filter(
    (each) => each.tftp && holdsAfterDhcp(each, { ...caller, segment: segment?.name }),
  );
  return {
    blockBytesMost: Math.min(blockBytesMost, ...own.flatMap(({ tftp }) => tftp?.blockBytesMost ?? [])),
    windowMost: Math.min(windowMost, ...own.flatMap(({ tftp }) => tftp?.windowMost ?? [])),
  };
}

import type { Terms } from '../index.ts';

/** Terms as agreed with a client that asked for what a case is about; without facts, a plain RFC 1350 request. */
export function termsOf(facts: Partial<Omit<Terms, 'acknowledged'>> = {}): Terms {
  const { blockBytes = 512, windowSize = 1, timeoutSeconds = 1 } = facts;
  const names = { blockBytes: 'blksize', windowSize: 'windowsize', timeoutSeconds: 'timeout' } as const;
  const acknowledged = new Map(
    Object.entries(facts).map(([fact, value]) => [names[fact as keyof typeof facts], `${value}`]),
  );
  return { blockBytes, windowSize, timeoutSeconds, acknowledged };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtefactSource } from './artefact-source.ts';
import type { TokenBucket } from './peers/token-bucket.ts';

/** How soon it is looked again whether the cap lets something through. */
const WAIT_MS = 20;

/** A source under a cap that it shares with others: its bytes come as fast as the bucket fills, and its sockets wait. */
export function throttled(source: ArtefactSource, bucket: TokenBucket): ArtefactSource {
  return {
    async read(artefact, range, signal) {
      return paced(await source.read(artefact, range, signal), bucket, signal);
    },
  };
}

async function* paced(
  parts: AsyncIterable<Uint8Array>,
  bucket: TokenBucket,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    while (!bucket.take(part.length, performance.now())) await sleep(WAIT_MS, undefined, { signal });
    yield part;
  }
}

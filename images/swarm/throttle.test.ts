import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Artefact } from '@bootswarm/images/format';
import { TokenBucket } from './peers/token-bucket.ts';
import { throttled } from './throttle.ts';

const artefact = {} as Artefact;
const source = {
  read: async () => ReadableStream.from(Array.from({ length: 10 }, () => new Uint8Array(10_000))),
};

async function read(bucket: TokenBucket, signal = new AbortController().signal): Promise<number> {
  let bytes = 0;
  const parts = await throttled(source, bucket).read(artefact, { start: 0, end: 100_000 }, signal);
  for await (const part of parts) bytes += part.length;
  return bytes;
}

test('a source under a cap takes its time, and all of it comes', async () => {
  const startedAt = performance.now();
  assert.equal(await read(new TokenBucket(200_000, startedAt)), 100_000);
  const seconds = (performance.now() - startedAt) / 1000;
  assert.ok(seconds > 0.25 && seconds < 20, String(seconds));
});

test('two sources share the cap of one bucket', async () => {
  const startedAt = performance.now();
  const bucket = new TokenBucket(400_000, startedAt);
  await Promise.all([read(bucket), read(bucket)]);
  const seconds = (performance.now() - startedAt) / 1000;
  assert.ok(seconds > 0.3 && seconds < 20, String(seconds));
});

test('who waits for the cap is woken by the end', async () => {
  const stop = new AbortController();
  const reading = read(new TokenBucket(1, performance.now()), stop.signal);
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(reading, { name: 'AbortError' });
});

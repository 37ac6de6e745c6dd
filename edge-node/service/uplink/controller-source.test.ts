import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client } from '@bootswarm/controller/contract';
import { artefactOf } from '@bootswarm/images/format';
import { ArtefactFolder, fetchArtefact, sendFile } from '@bootswarm/images/swarm';
import { chunkedReleaseOf, type ReleaseWithBytes } from '../testing/releases.ts';
import { controllerSource } from './artefact-sync.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const never = new AbortController().signal;

interface Bench {
  readonly client: Client;
  /** What the edge holds. */
  readonly folder: ArtefactFolder;
  /** The `Range` header of each request for an artefact, or undefined. */
  readonly asked: (string | undefined)[];
}

/** A controller's HTTP over the files of releases. */
async function withServer(
  releases: readonly ReleaseWithBytes[],
  answer: (path: string, sha256: string) => RequestListener,
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'bootswarm-source-'));
  const served = await ArtefactFolder.open(join(path, 'controller'));
  for (const { bytesOf } of releases)
    for (const [sha256, bytes] of bytesOf) await writeFile(served.pathOf(sha256), bytes);
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range);
    const sha256 = request.url?.split('/').at(-1) ?? '';
    answer(served.pathOf(sha256), sha256)(request, response);
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const client = new Client({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await run({ client, folder: await ArtefactFolder.open(join(path, 'edge')), asked });
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(path, { recursive: true });
  }
}

const [older, newer] = [await chunkedReleaseOf('older'), await chunkedReleaseOf('newer, and longer')];

async function fetchRoots(bench: Bench): Promise<readonly { fetchedBytes: number; reusedBytes: number }[]> {
  const source = controllerSource(bench.client);
  const fetched = [];
  for (const { manifest } of [older, newer]) {
    const [chunks, root] = [artefactOf(manifest, 'chunks'), artefactOf(manifest, 'root')];
    const options = { folder: bench.folder, source, signal: never };
    await fetchArtefact(chunks, options);
    fetched.push(await fetchArtefact(root, { ...options, chunks: chunks.sha256 }));
  }
  return fetched;
}

test('over HTTP only the ranges come that are new, and they make up the artefact', () =>
  withServer(
    [older, newer],
    (path, sha256) => (request, response) => void sendFile(request, response, { path, sha256 }),
    async (bench) => {
      const [whole, delta] = await fetchRoots(bench);
      const root = artefactOf(newer.manifest, 'root');
      assert.equal(whole?.reusedBytes, 0);
      assert.ok(delta && delta.reusedBytes > 150_000, `${delta?.reusedBytes} bytes reused`);
      assert.equal(delta.fetchedBytes + delta.reusedBytes, root.length);
      assert.deepEqual(bench.asked.slice(0, 3), [undefined, undefined, undefined]);
      const ranges = bench.asked.slice(3).map((range) => /^bytes=(\d+)-(\d+)$/.exec(range ?? ''));
      const bytes = ranges.reduce((sum, range) => sum + Number(range?.[2]) - Number(range?.[1]) + 1, 0);
      assert.equal(bytes, delta.fetchedBytes);
      assert.deepEqual(
        new Uint8Array(await readFile(bench.folder.pathOf(root.sha256))),
        new Uint8Array(newer.bytesOf.get(root.sha256) ?? []),
      );
    },
  ));

test('a range that is read long after it was asked for is whole', () =>
  withServer(
    [older],
    (path, sha256) => (request, response) => void sendFile(request, response, { path, sha256 }),
    async ({ client }) => {
      const root = artefactOf(older.manifest, 'root');
      const bytes = await controllerSource(client).read(root, { start: 1000, end: root.length }, never);
      for (let round = 0; round < 5; round++) {
        collectGarbage();
        await sleep(10);
      }
      let length = 0;
      for await (const part of bytes) length += part.length;
      assert.equal(length, root.length - 1000);
    },
  ));

test('a controller that sends the whole where a range was asked for is not taken for one that answers', () =>
  withServer(
    [older, newer],
    (path) => async (_, response) => void response.end(await readFile(path)),
    (bench) => assert.rejects(fetchRoots(bench), /ignored the range/),
  ));

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempDisposable, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Artefact,
  artefactOf,
  artefactTorrent,
  decodeBencode,
  type Manifest,
} from '@bootswarm/images/format';
import { quietLog } from '../testing/quiet-log.ts';
import { releaseOf } from '../testing/releases.ts';
import { torrentRoutes } from './routes.ts';
import { Torrents } from './torrents.ts';

const URL = 'http://10.1.0.1:8480';
const { manifest: plain, bytesOf } = await releaseOf('tiny');
const root = artefactOf(plain, 'root');
const bytes = bytesOf.get(root.sha256) ?? new Uint8Array();

/** Not by the code that is tested. */
const sha1Pieces = Buffer.concat(
  root.pieces.map((_, index) =>
    createHash('sha1')
      .update(bytes.subarray(index * root.pieceBytes, (index + 1) * root.pieceBytes))
      .digest(),
  ),
);
const { infohash } = artefactTorrent(root, sha1Pieces);

function withRoot(change: Partial<Artefact>): Manifest {
  const artefacts = plain.artefacts.map((each) => (each.role === 'root' ? { ...each, ...change } : each));
  return { ...plain, artefacts };
}

/** An edge that has the root of a release. */
async function edge(releases: readonly Manifest[] = [withRoot({ infohash })]) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-torrents-'));
  const path = join(folder.path, root.sha256);
  await writeFile(path, bytes);
  const { log, lines } = quietLog();
  const ready = new Set([root.sha256]);
  const torrents = new Torrents({ pathOf: () => path, isReady: (sha256) => ready.has(sha256), log });
  torrents.follow(releases);
  const codeOf = (): string => {
    try {
      torrents.find(root.sha256, URL);
      return 'found';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return {
    path,
    lines,
    ready,
    torrents,
    codeOf,
    /** Asks until the pieces are hashed. */
    settled: async (): Promise<string> => {
      for (let tries = 0; tries < 500 && codeOf() === 'torrent_not_ready'; tries++) await sleep(10);
      return codeOf();
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe('a torrent', () => {
  test('is made in the background when the first asks, with tracker and webseed of the edge', async () => {
    await using site = await edge();
    assert.equal(site.codeOf(), 'torrent_not_ready');
    assert.equal(await site.settled(), 'found');
    const sources = {
      announce: `${URL}/announce`,
      webSeeds: [`${URL}/artefacts/${root.sha256}/${root.name}`],
    };
    assert.deepEqual(
      decodeBencode(site.torrents.find(root.sha256, URL)),
      decodeBencode(artefactTorrent(root, sha1Pieces, sources).bytes),
    );
    assert.deepEqual(site.lines, ['info torrent made']);
    // Nothing is read again.
    await rm(site.path);
    assert.equal(site.codeOf(), 'found');
  });

  test('is for what the edge has, and for what has a swarm', async () => {
    await using site = await edge();
    site.ready.clear();
    assert.equal(site.codeOf(), 'torrent_not_ready');
    assert.deepEqual(site.lines, []);
    const { sha256 } = artefactOf(plain, 'kernel');
    assert.throws(() => site.torrents.find(sha256, URL), { code: 'torrent_unknown', status: 404 });
    site.torrents.follow([plain]);
    assert.equal(site.codeOf(), 'torrent_unknown');
  });

  test('is refused where the manifest tells another infohash', async () => {
    await using site = await edge([withRoot({ infohash: '0'.repeat(40) })]);
    assert.equal(await site.settled(), 'torrent_other_infohash');
    assert.deepEqual(site.lines, ['error the infohash of the manifest is not that of the bytes']);
    // Built anew.
    site.torrents.follow([withRoot({ infohash })]);
    assert.equal(await site.settled(), 'found');
  });

  test('that could not be made is tried again', async () => {
    await using site = await edge();
    await truncate(site.path, 20_000);
    assert.equal(site.codeOf(), 'torrent_not_ready');
    for (let tries = 0; tries < 500 && site.lines.length === 0; tries++) await sleep(10);
    assert.deepEqual(site.lines, ['warn an artefact could not be read for its torrent']);
    await writeFile(site.path, bytes);
    assert.equal(await site.settled(), 'found');
  });
});

test('who comes too early is told when to come again', async () => {
  await using site = await edge();
  const app = torrentRoutes(site.torrents, () => ({ httpUrl: URL }));
  const path = `/torrents/${root.sha256}.torrent`;
  const early = await app.request(path);
  assert.deepEqual([early.status, early.headers.get('retry-after')], [503, '5']);
  assert.equal(await early.text(), 'the pieces are being hashed. Ask again in 5 s.\n');
  await site.settled();
  const found = await app.request(path);
  assert.deepEqual([found.status, found.headers.get('content-type')], [200, 'application/x-bittorrent']);
  assert.deepEqual(
    new Uint8Array(await found.arrayBuffer()),
    new Uint8Array(site.torrents.find(root.sha256, URL)),
  );
  for (const other of [
    '/torrents/x.torrent',
    path.toUpperCase(),
    `${path}x`,
    `/torrents/${'0'.repeat(64)}.torrent`,
  ])
    assert.equal((await app.request(other)).status, 404, other);
});

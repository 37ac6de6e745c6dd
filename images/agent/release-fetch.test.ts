import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Artefact, type Manifest, manifestBytes, releaseId, sha256Of } from '@bootswarm/images/format';
import { channelTarget, releasePath, releaseTarget } from '@bootswarm/images/trust';
import { FakeRepository } from '@bootswarm/images/trust/testing';
import { ReleaseFetch, type ReleaseSource, type VerifiedPiece } from './release-fetch.ts';

const PIECE = 16 * 1024;
const contents = {
  kernel: Buffer.from(Uint8Array.from({ length: PIECE * 2 + 5 }, (_, at) => (at * 7 + (at >> 8)) % 256)),
  initramfs: Buffer.from('a small initramfs'),
};

function artefactOf(role: keyof typeof contents): Artefact {
  const bytes = contents[role];
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(sha256Of(bytes.subarray(at, at + PIECE)));
  return {
    role,
    name: `${role}.img`,
    length: bytes.length,
    sha256: sha256Of(bytes),
    pieceBytes: PIECE,
    pieces,
  };
}

const manifest: Manifest = {
  format: 1,
  name: 'tiny',
  version: '1',
  architecture: 'amd64',
  bootStyle: 'classic',
  kernelArguments: [],
  artefacts: [artefactOf('kernel'), artefactOf('initramfs')],
};
const release = releaseId(manifest);
const kernel = artefactOf('kernel');
const folder = mkdtempSync(join(tmpdir(), 'bootswarm-release-'));
after(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;
let opened = 0;

/** A sound edge, of which `change` may falsify what it serves. */
function sourceOf(
  repository: FakeRepository,
  served: { readonly manifest?: Uint8Array | undefined; readonly kernel?: Uint8Array } = {},
): ReleaseSource {
  const bytes = 'manifest' in served ? served.manifest : manifestBytes(manifest);
  return {
    trustFile: (name) =>
      name === releasePath(release)
        ? Promise.resolve(bytes && ReadableStream.from(inChunks(bytes, 700)))
        : repository.fetch(name),
    artefact: async (_, start) =>
      ReadableStream.from(inChunks((served.kernel ?? contents.kernel).subarray(start), 5_000)),
  };
}

function* inChunks(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function published(): FakeRepository {
  const repository = new FakeRepository();
  repository.publish({ add: [releaseTarget(manifest)] });
  return repository;
}

function open(repository: FakeRepository, source = sourceOf(repository)): Promise<ReleaseFetch> {
  opened += 1;
  return ReleaseFetch.open(join(folder, String(opened)), repository.root, source);
}

async function all(pieces: AsyncIterable<VerifiedPiece>): Promise<VerifiedPiece[]> {
  const found: VerifiedPiece[] = [];
  for await (const piece of pieces) found.push({ ...piece, bytes: Uint8Array.from(piece.bytes) });
  return found;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('a release', () => {
  test('is fetched, and comes piece by piece', async () => {
    const fetch = await open(published());
    assert.deepEqual(await fetch.manifestOf(release, signal), manifest);
    const pieces = await all(fetch.pieces(kernel, signal));
    assert.deepEqual(
      pieces.map(({ index, start }) => [index, start]),
      [
        [0, 0],
        [1, PIECE],
        [2, 2 * PIECE],
      ],
    );
    assert.deepEqual(Buffer.concat(pieces.map(({ bytes }) => bytes)), contents.kernel);
    assert.deepEqual(
      (await all(fetch.pieces(kernel, signal, 2))).map(({ index }) => index),
      [2],
    );
  });

  test('is found by a channel, where the signed metadata says that the channel points', async () => {
    const repository = published();
    const pointer = {
      format: 1,
      name: 'tiny',
      channel: 'stable',
      architecture: 'amd64',
      version: '1',
    } as const;
    repository.publish({ add: [channelTarget({ ...pointer, movedAt: '2026-03-02T08:00:00.000Z' })] });
    const fetch = await open(repository);
    assert.deepEqual(await fetch.manifestOf('tiny/@stable/amd64', signal), manifest);
    await assert.rejects(fetch.manifestOf('tiny/@canary/amd64', signal), { code: 'channel_unsigned' });
  });

  test('is refused with any byte of its manifest flipped', async () => {
    const repository = published();
    const bytes = manifestBytes(manifest);
    let served: Uint8Array = bytes;
    const source: ReleaseSource = {
      ...sourceOf(repository),
      trustFile: (name) =>
        name === releasePath(release)
          ? Promise.resolve(ReadableStream.from([served]))
          : repository.fetch(name),
    };
    const fetch = await open(repository, source);
    await fetch.manifestOf(release, signal);
    for (let at = 0; at < bytes.length; at++) {
      served = flipped(bytes, at);
      await assert.rejects(fetch.manifestOf(release, signal), { code: 'manifest_unsigned' }, `byte ${at}`);
    }
  });

  test('is refused with any byte of a piece flipped, and the pieces before it stay good', async () => {
    let served: Uint8Array = contents.kernel;
    const repository = published();
    const source = {
      ...sourceOf(repository),
      artefact: async () => ReadableStream.from(inChunks(served, 9_000)),
    };
    const fetch = await open(repository, source);
    for (let at = 0; at < contents.kernel.length; at += 61) {
      served = flipped(contents.kernel, at);
      const good: number[] = [];
      await assert.rejects(
        async () => {
          for await (const { index } of fetch.pieces(kernel, signal)) good.push(index);
        },
        { code: 'piece_wrong' },
        `byte ${at}`,
      );
      assert.equal(good.length, Math.floor(at / PIECE), `pieces before byte ${at}`);
    }
  });

  const edges: readonly { name: string; served: Uint8Array; code: string; first?: number }[] = [
    { name: 'too few bytes', served: contents.kernel.subarray(0, -1), code: 'artefact_short' },
    { name: 'no bytes', served: new Uint8Array(), code: 'artefact_short' },
    { name: 'one byte more', served: Buffer.concat([contents.kernel, Buffer.of(0)]), code: 'artefact_long' },
  ];
  for (const { name, served, code } of edges)
    test(`is refused with ${name}`, async () => {
      const repository = published();
      const fetch = await open(repository, sourceOf(repository, { kernel: served }));
      await assert.rejects(all(fetch.pieces(kernel, signal)), { code });
    });

  test('is refused where nobody signed it, where the edge has no manifest, and without a root of trust', async () => {
    const unsigned = await open(new FakeRepository());
    await assert.rejects(unsigned.manifestOf(release, signal), { code: 'manifest_unsigned' });
    const repository = published();
    const without = await open(repository, sourceOf(repository, { manifest: undefined }));
    await assert.rejects(without.manifestOf(release, signal), { code: 'manifest_missing' });
    const rootless = ReleaseFetch.open(join(folder, 'rootless'), undefined, sourceOf(repository));
    await assert.rejects(rootless, { code: 'trust_root_missing' });
  });

  test('is refused where the root is of somebody else', async () => {
    const source = sourceOf(published());
    opened += 1;
    const other = await ReleaseFetch.open(join(folder, String(opened)), new FakeRepository().root, source);
    await assert.rejects(other.manifestOf(release, signal));
  });
});

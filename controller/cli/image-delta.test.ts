import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Client } from '@bootswarm/controller/contract';
import {
  type Artefact,
  type ArtefactRole,
  digestOf,
  type Manifest,
  makeChunkIndex,
} from '@bootswarm/images/format';
import { fetchSize } from './image-delta.ts';

function noise(length: number, seed: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** A controller that has the artefacts of releases, and nothing else. */
class Shelf {
  readonly #bytesOf = new Map<string, Buffer>();

  readonly client = {
    fetch: async (_: unknown, { params }: { readonly params: { readonly sha256: string } }) =>
      new Response(new Uint8Array(this.#bytesOf.get(params.sha256) ?? [])),
  } as unknown as Client;

  async release(version: string, files: Partial<Record<ArtefactRole, Buffer>>): Promise<Manifest> {
    const artefacts: Artefact[] = [];
    for (const [role, bytes] of Object.entries(files)) {
      const { pieces, ...digest } = await digestOf(ReadableStream.from([bytes]));
      artefacts.push({ role: role as ArtefactRole, name: role, ...digest, pieces: [...pieces] });
      this.#bytesOf.set(digest.sha256, bytes);
    }
    const arch = { architecture: 'amd64', bootStyle: 'live-boot' } as const;
    return { format: 1, name: 'minimal', version, ...arch, kernelArguments: [], artefacts };
  }
}

const shelf = new Shelf();
const indexOf = async (root: Buffer): Promise<Buffer> =>
  Buffer.from((await makeChunkIndex(ReadableStream.from([root]))) ?? assert.fail());

const [kernel, initramfs] = [noise(50_000, 'kernel'), noise(60_000, 'initramfs')];
const roots = [noise(500_000, 'root'), Buffer.concat([noise(5000, 'new'), noise(500_000, 'root')])] as const;
const sizeOf = async (
  before: Manifest,
  after: Manifest,
): Promise<{ fetchBytes: number; wholeBytes: number }> =>
  fetchSize(shelf.client, before, after, new AbortController().signal);

test('an edge fetches what changed, and of a root with an index the new chunks', async () => {
  const [oldIndex, newIndex] = [await indexOf(roots[0]), await indexOf(roots[1])];
  const before = await shelf.release('1', { kernel, initramfs, root: roots[0], chunks: oldIndex });
  const after = await shelf.release('2', { kernel, initramfs, root: roots[1], chunks: newIndex });
  const { fetchBytes, wholeBytes } = await sizeOf(before, after);
  assert.equal(wholeBytes, 110_000 + 505_000 + newIndex.length);
  assert.ok(fetchBytes >= 5000 + newIndex.length && fetchBytes < 150_000, `${fetchBytes} bytes`);
});

test('an edge fetches a root whole where either release has no index of it, or a wrong one', async () => {
  const before = await shelf.release('3', {
    kernel,
    initramfs,
    root: roots[0],
    chunks: await indexOf(roots[0]),
  });
  const wrong = {
    'no index': undefined,
    'another one': await indexOf(roots[0]),
    'no such thing': noise(84, 'x'),
  };
  for (const [name, chunks] of Object.entries(wrong)) {
    const files = { kernel, initramfs, root: roots[1], ...(chunks && { chunks }) };
    const { fetchBytes } = await sizeOf(before, await shelf.release('4', files));
    const index = name === 'no such thing' ? 84 : 0;
    assert.equal(fetchBytes, 505_000 + index, name);
  }
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Artefact, digestOf } from '@bootswarm/images/format';
import { ArtefactFolder } from './artefact-folder.ts';
import type { ArtefactSource } from './artefact-source.ts';
import { fetchArtefact } from './fetch-artefact.ts';
import type { ByteRange } from './range.ts';
import { WrongPiece } from './wrong-hash.ts';

const PIECE = 16 * 1024;
const bytes = Uint8Array.from({ length: 3 * PIECE + 100 }, (_, i) => (i * 7 + (i >> 8)) % 256);

async function artefactOfBytes(): Promise<Artefact> {
  const { sha256, pieces } = await digestOf(chunked(bytes, 1000), () => {}, PIECE);
  return {
    role: 'root',
    name: 'root.squashfs',
    length: bytes.length,
    sha256,
    pieceBytes: PIECE,
    pieces: [...pieces],
  };
}

async function* chunked(source: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.length; at += size) yield source.subarray(at, at + size);
}

/** Sends `bytes`, spoilt at `spoilAt`, and breaks off after `breakAfter`. Remembers where it was asked to start. */
class FakeSource implements ArtefactSource {
  readonly starts: number[] = [];
  spoilAt = -1;
  breakAfter = Number.POSITIVE_INFINITY;
  extra = 0;

  async read(_artefact: Artefact, { start }: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    this.starts.push(start);
    const sent = Uint8Array.from([...bytes, ...new Uint8Array(this.extra)]);
    if (this.spoilAt >= 0) sent[this.spoilAt] = (sent[this.spoilAt] ?? 0) ^ 1;
    return this.#send(sent.subarray(start));
  }

  async *#send(sent: Uint8Array): AsyncGenerator<Uint8Array> {
    let done = 0;
    for await (const chunk of chunked(sent, 5000)) {
      if (done + chunk.length > this.breakAfter) throw new Error('connection lost');
      done += chunk.length;
      yield chunk;
    }
  }
}

async function withFolder(run: (folder: ArtefactFolder, path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'bootswarm-artefacts-'));
  try {
    await run(await ArtefactFolder.open(path), path);
  } finally {
    await rm(path, { recursive: true });
  }
}

const never = new AbortController().signal;

test('an artefact that is fetched whole is whole, and is not fetched twice', () =>
  withFolder(async (folder) => {
    const [artefact, source] = [await artefactOfBytes(), new FakeSource()];
    await fetchArtefact(artefact, { folder, source, signal: never });
    assert.deepEqual(new Uint8Array(readFileSync(folder.pathOf(artefact.sha256))), bytes);
    assert.deepEqual(await folder.list(), [artefact.sha256]);
    await fetchArtefact(artefact, { folder, source, signal: never });
    assert.deepEqual(source.starts, [0]);
  }));

test('a fetch that broke off goes on behind its last whole piece', () =>
  withFolder(async (folder) => {
    const [artefact, source] = [await artefactOfBytes(), new FakeSource()];
    source.breakAfter = 2 * PIECE + 10_000;
    await assert.rejects(fetchArtefact(artefact, { folder, source, signal: never }), /connection lost/);
    assert.equal(await folder.lengthOf(artefact.sha256), undefined);
    source.breakAfter = Number.POSITIVE_INFINITY;
    await fetchArtefact(artefact, { folder, source, signal: never });
    assert.deepEqual(source.starts, [0, 2 * PIECE]);
  }));

test('pieces that were spoilt on the disk meanwhile are fetched again', () =>
  withFolder(async (folder) => {
    const [artefact, source] = [await artefactOfBytes(), new FakeSource()];
    const spoilt = bytes.slice(0, 2 * PIECE);
    spoilt[PIECE + 5] = (spoilt[PIECE + 5] ?? 0) ^ 1;
    await writeFile(folder.partialPathOf(artefact.sha256), spoilt);
    await fetchArtefact(artefact, { folder, source, signal: never });
    assert.deepEqual(source.starts, [PIECE]);
    assert.deepEqual(new Uint8Array(readFileSync(folder.pathOf(artefact.sha256))), bytes);
  }));

test('a wrong piece is named, and neither it nor what follows is kept', () =>
  withFolder(async (folder) => {
    const [artefact, source] = [await artefactOfBytes(), new FakeSource()];
    source.spoilAt = PIECE + 1;
    await assert.rejects(
      fetchArtefact(artefact, { folder, source, signal: never }),
      (error) => error instanceof WrongPiece && error.index === 1,
    );
    assert.equal(await folder.receivedBytes(artefact.sha256), PIECE);
    assert.equal(existsSync(folder.pathOf(artefact.sha256)), false);
  }));

test('a source that sends too much or too little is refused', () =>
  withFolder(async (folder) => {
    const artefact = await artefactOfBytes();
    const long = new FakeSource();
    long.extra = 1;
    await assert.rejects(fetchArtefact(artefact, { folder, source: long, signal: never }), /more of/);
    await folder.discard(artefact.sha256);
    const short: ArtefactSource = { read: async () => chunked(bytes.subarray(0, PIECE), 1000) };
    await assert.rejects(
      fetchArtefact(artefact, { folder, source: short, signal: never }),
      /ended after 16384 of/,
    );
  }));

test('bytes with another SHA-256 than promised are discarded', () =>
  withFolder(async (folder) => {
    const sha256 = 'a'.repeat(64);
    assert.equal(await folder.append(sha256, 0, chunked(bytes, 999), bytes.length), bytes.length);
    const finish = await folder.finish(sha256);
    assert.equal(finish.ok, false);
    assert.equal(await folder.receivedBytes(sha256), 0);
    assert.deepEqual(await folder.list(), []);
  }));

test('more bytes than announced are not written', () =>
  withFolder(async (folder) => {
    const sha256 = 'b'.repeat(64);
    assert.equal(await folder.append(sha256, 0, chunked(bytes, 999), 2000), 2001);
    assert.equal(await folder.receivedBytes(sha256), 1998);
  }));

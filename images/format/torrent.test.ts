import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Bencode, decodeBencode } from './bencode.ts';
import { torrentDigestOf } from './digest.ts';
import { artefactTorrent, torrentFile } from './torrent.ts';

const PIECE = 16 * 1024;
const bytes = Uint8Array.from({ length: 2 * PIECE + 5 }, (_, at) => (at * 7) % 251);
const digest = await torrentDigestOf(
  ReadableStream.from([bytes.subarray(0, 1000), bytes.subarray(1000)]),
  () => {},
  PIECE,
);

/** A dictionary, its texts as text. */
function entriesOf(value: Bencode | undefined): Record<string, unknown> {
  assert.ok(value instanceof Map);
  return Object.fromEntries(
    Array.from(value, ([key, held]) => [
      key,
      held instanceof Uint8Array
        ? Buffer.from(held).toString('latin1')
        : Array.isArray(held)
          ? held.map((each) => Buffer.from(each).toString('latin1'))
          : held,
    ]),
  );
}

test('metadata says what BEP 3, 19 and 27 ask for', () => {
  const { bytes: file, infohash } = torrentFile({
    ...digest,
    name: 'root.squashfs',
    announce: 'http://10.0.0.1:8480/announce',
    webSeeds: ['http://10.0.0.1:8480/a'],
  });
  const decoded = decodeBencode(file);
  assert.ok(decoded instanceof Map);
  const { info: _, ...sources } = entriesOf(decoded);
  assert.deepEqual(sources, {
    announce: 'http://10.0.0.1:8480/announce',
    'url-list': ['http://10.0.0.1:8480/a'],
  });
  const sha1 = (start: number): string =>
    createHash('sha1')
      .update(bytes.subarray(start, start + PIECE))
      .digest()
      .toString('latin1');
  assert.deepEqual(entriesOf(decoded.get('info')), {
    length: bytes.length,
    name: 'root.squashfs',
    'piece length': PIECE,
    pieces: sha1(0) + sha1(PIECE) + sha1(2 * PIECE),
    private: 1,
  });
  const text = Buffer.from(file).toString('latin1');
  const info = text.slice(text.indexOf('4:info') + 6, text.indexOf('8:url-list'));
  assert.equal(infohash, createHash('sha1').update(info, 'latin1').digest('hex'));
});

test('the infohash of an artefact follows from its bytes, not from where they are to be had', () => {
  const { infohash } = artefactTorrent(digest, digest.sha1Pieces);
  // Held, because machines of one release meet under it whichever version of this code they run.
  assert.equal(infohash, '8a27c388d674874c8d861d1242b99720f9a74813');
  const elsewhere = { announce: 'http://10.0.0.1/announce', webSeeds: ['http://10.0.0.1/root'] };
  assert.equal(artefactTorrent(digest, digest.sha1Pieces, elsewhere).infohash, infohash);
  assert.notEqual(
    artefactTorrent({ ...digest, sha256: '0'.repeat(64) }, digest.sha1Pieces).infohash,
    infohash,
  );
});

test('the hashes must be those of all pieces', () => {
  assert.throws(() => artefactTorrent(digest, digest.sha1Pieces.subarray(20)), {
    name: 'RangeError',
    message: '40 bytes of SHA-1 are not those of 3 pieces',
  });
});

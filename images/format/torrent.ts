import { createHash } from 'node:crypto';
import { type Bencode, encodeBencode } from './bencode.ts';
import { type Artefact, pieceCount } from './manifest.ts';

const SHA1_BYTES = 20;

export interface TorrentContent {
  /** Under which strangers save the file. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  readonly pieceBytes: number;
  /** SHA-1 of each piece in order, 20 bytes each. */
  readonly sha1Pieces: Uint8Array;
}

/** Where the file is to be had. None of it goes into the infohash. */
export interface TorrentSources {
  /** URL of the tracker. */
  readonly announce?: string;
  /** URLs of the whole file (BEP 19). */
  readonly webSeeds?: readonly string[];
}

export interface TorrentFile {
  /** SHA-1 of the info dictionary, 40 hexadecimal digits. */
  readonly infohash: string;
  /** The file, bencoded. */
  readonly bytes: Uint8Array;
}

/**
 * Metadata of one file for BitTorrent version 1 (BEP 3). It is private (BEP 27): clients then ask the tracker alone for
 * peers, and no DHT or neighbour, so that they stay within what the tracker gives them.
 * @throws RangeError where there is not one hash for each piece.
 */
export function torrentFile({
  name,
  length,
  pieceBytes,
  sha1Pieces,
  announce,
  webSeeds = [],
}: TorrentContent & TorrentSources): TorrentFile {
  const pieces = pieceCount(length, pieceBytes);
  if (sha1Pieces.length !== pieces * SHA1_BYTES)
    throw new RangeError(`${sha1Pieces.length} bytes of SHA-1 are not those of ${pieces} pieces`);
  const info = new Map<string, Bencode>([
    ['length', length],
    ['name', Buffer.from(name)],
    ['piece length', pieceBytes],
    ['pieces', sha1Pieces],
    ['private', 1],
  ]);
  const file = new Map<string, Bencode>([['info', info]]);
  if (announce !== undefined) file.set('announce', Buffer.from(announce));
  if (webSeeds.length > 0)
    file.set(
      'url-list',
      webSeeds.map((url) => Buffer.from(url)),
    );
  return {
    infohash: createHash('sha1').update(encodeBencode(info)).digest('hex'),
    bytes: encodeBencode(file),
  };
}

/**
 * The same of an artefact. It is named by its SHA-256, so that the infohash follows from its bytes and their pieces
 * alone: what two releases share under two names is one swarm.
 * @throws RangeError where there is not one hash for each piece.
 */
export function artefactTorrent(
  { sha256, length, pieceBytes }: Pick<Artefact, 'sha256' | 'length' | 'pieceBytes'>,
  sha1Pieces: Uint8Array,
  sources: TorrentSources = {},
): TorrentFile {
  return torrentFile({ name: sha256, length, pieceBytes, sha1Pieces, ...sources });
}

import {
  type Artefact,
  artefactTorrent,
  edgeArtefacts,
  type Manifest,
  type Problem,
} from '@bootswarm/images/format';
import type { Logger } from 'pino';
import { sha1PiecesOf } from './piece-sha1.ts';
import { problem } from './problems.ts';

/** After which whoever came too early should ask again. */
export const RETRY_SECONDS = 5;

export interface TorrentsParts {
  readonly pathOf: (sha256: string) => string;
  /** Whether an artefact is whole and verified here. */
  readonly isReady: (sha256: string) => boolean;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** SHA-1 of the pieces of an artefact; undefined while they are made. */
type Hashes = Uint8Array | Problem | undefined;

type Swarmed = Artefact & { readonly infohash: string };

/**
 * The metadata of what has a swarm, for BitTorrent clients that know nothing of manifests. They check pieces by SHA-1,
 * which no manifest holds: an artefact is read once, in the background, when the first of them asks.
 */
export class Torrents {
  readonly #parts: TorrentsParts;
  /** By SHA-256. */
  #artefacts: ReadonlyMap<string, Swarmed> = new Map();
  /** By infohash as the manifest tells it. */
  readonly #hashes = new Map<string, Hashes>();
  /** One artefact is read after the other. */
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: TorrentsParts) {
    this.#parts = parts;
  }

  /** Has the metadata of these releases alone, from now on. */
  follow(releases: readonly Manifest[]): void {
    const artefacts = releases.flatMap(edgeArtefacts);
    this.#artefacts = new Map(
      artefacts.flatMap(({ infohash, ...artefact }) =>
        infohash === undefined ? [] : [[artefact.sha256, { ...artefact, infohash }] as const],
      ),
    );
    const told = new Set(Array.from(this.#artefacts.values(), ({ infohash }) => infohash));
    for (const infohash of this.#hashes.keys()) if (!told.has(infohash)) this.#hashes.delete(infohash);
  }

  /**
   * The .torrent of an artefact, with this edge's tracker and its HTTP as a webseed.
   * @param httpUrl of this edge, as the asker reached it.
   * @throws Problem torrent_unknown, torrent_not_ready, torrent_other_infohash
   */
  find(sha256: string, httpUrl: string): Uint8Array {
    const artefact = this.#artefacts.get(sha256);
    if (!artefact) throw problem('torrent_unknown', { facts: { sha256 } });
    if (!this.#parts.isReady(sha256)) throw notReady('this edge does not have all of it yet');
    if (!this.#hashes.has(artefact.infohash)) this.#make(artefact);
    const hashes = this.#hashes.get(artefact.infohash);
    if (hashes === undefined) throw notReady('the pieces are being hashed');
    if (!(hashes instanceof Uint8Array)) throw hashes;
    const webSeeds = [`${httpUrl}/artefacts/${sha256}/${artefact.name}`];
    return artefactTorrent(artefact, hashes, { announce: `${httpUrl}/announce`, webSeeds }).bytes;
  }

  #make(artefact: Swarmed): void {
    this.#hashes.set(artefact.infohash, undefined);
    this.#reading = this.#reading.then(() => this.#hash(artefact));
  }

  async #hash(artefact: Swarmed): Promise<void> {
    const { sha256, name, infohash } = artefact;
    const { pathOf, log } = this.#parts;
    // No release names it any more.
    if (!this.#hashes.has(infohash)) return;
    try {
      const hashes = await sha1PiecesOf(pathOf(sha256), artefact);
      if (!this.#hashes.has(infohash)) return;
      const found = artefactTorrent(artefact, hashes).infohash;
      if (found === infohash) {
        this.#hashes.set(infohash, hashes);
        log.info({ sha256, name, infohash }, 'torrent made');
      } else {
        this.#hashes.set(infohash, problem('torrent_other_infohash', { facts: { told: infohash, found } }));
        log.error({ sha256, name, infohash, found }, 'the infohash of the manifest is not that of the bytes');
      }
    } catch (error) {
      // Whoever asks next has it read again.
      this.#hashes.delete(infohash);
      log.warn({ sha256, name, err: error }, 'an artefact could not be read for its torrent');
    }
  }
}

function notReady(reason: string): Problem {
  return problem('torrent_not_ready', { facts: { reason, retrySeconds: RETRY_SECONDS } });
}

import {
  type Artefact,
  isChannelId,
  type Manifest,
  pieceRange,
  type ReleaseId,
  releaseId,
  sha256Of,
} from '@bootswarm/images/format';
import { releasePath, TrustClient } from '@bootswarm/images/trust';
import { getBytes } from './edge-bytes.ts';
import { problem } from './problems.ts';

/** Of 16 artefacts with a hash for each MiB, a manifest has 70 bytes a MiB: this is enough for 3 TB. */
const MANIFEST_MOST_BYTES = 256 * 1024 * 1024;

const SILENCE_MOST_MS = 60_000;

/** Where the bytes of a release come from; nothing of it is believed. */
export interface ReleaseSource {
  /** Metadata and manifests, by the paths of TUF; undefined where there is no such file. */
  trustFile(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The artefact's bytes from `start` on. */
  artefact(artefact: Artefact, start: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** A piece that was verified. */
export interface VerifiedPiece {
  readonly index: number;
  /** Where it stands in the artefact. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * Releases as the agent believes them: the root of trust is in the initramfs, metadata is signed from there on, the
 * manifest is in the metadata, and each piece is in the manifest. Whoever asks for bytes gets them after that.
 */
export class ReleaseFetch {
  readonly #trust: TrustClient;
  readonly #source: ReleaseSource;

  private constructor(trust: TrustClient, source: ReleaseSource) {
    this.#trust = trust;
    this.#source = source;
  }

  /**
   * @param folder keeps what was verified, so that nothing older is believed later.
   * @param root the content of root.json in the initramfs.
   * @throws Problem trust_root_missing, metadata_unreadable
   */
  static async open(folder: string, root: string | undefined, source: ReleaseSource): Promise<ReleaseFetch> {
    // What the folder holds does not count by itself: it is memory, and not of the image.
    if (root === undefined) throw problem('trust_root_missing');
    const trust = await TrustClient.open(folder, root, (file, signal) => source.trustFile(file, signal));
    if (!trust) throw problem('trust_root_missing');
    return new ReleaseFetch(trust, source);
  }

  /**
   * @param reference a release, or a channel: then the release to which the signed metadata says that it points.
   * @throws Problem trust_refused, channel_unsigned, manifest_unsigned, manifest_missing, manifest_too_long
   */
  async manifestOf(reference: string, signal: AbortSignal): Promise<Manifest> {
    await this.#trust.refresh(signal);
    const release = this.#releaseOf(reference);
    const chunks = await this.#source.trustFile(releasePath(release), signal);
    if (!chunks) throw problem('manifest_missing', { facts: { release } });
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      length += chunk.length;
      if (length > MANIFEST_MOST_BYTES)
        throw problem('manifest_too_long', { facts: { release, most: MANIFEST_MOST_BYTES } });
      parts.push(chunk);
    }
    return this.#trust.manifestOf(release, Buffer.concat(parts));
  }

  #releaseOf(reference: string): ReleaseId {
    if (!isChannelId(reference)) return reference;
    const pointer = this.#trust.channelOf(reference);
    if (!pointer) throw problem('channel_unsigned', { facts: { channel: reference } });
    return releaseId(pointer);
  }

  /** @throws as verifiedPieces */
  pieces(artefact: Artefact, signal: AbortSignal, first = 0): AsyncGenerator<VerifiedPiece, void> {
    return verifiedPieces(this.#source, artefact, signal, first);
  }
}

/**
 * The pieces of an artefact in order, from `first` on, each once it is whole and verified. All of them come in the
 * same memory: whoever wants to keep one copies it before asking for the next.
 * @throws Problem piece_wrong, artefact_short, artefact_long: no byte of such a piece was handed on.
 */
export async function* verifiedPieces(
  source: Pick<ReleaseSource, 'artefact'>,
  artefact: Artefact,
  signal: AbortSignal,
  first: number,
): AsyncGenerator<VerifiedPiece, void> {
  const { name, length, pieceBytes, pieces } = artefact;
  const gathering = Buffer.allocUnsafeSlow(Math.min(pieceBytes, length));
  let [index, filled] = [first, 0];
  let { start, end } = pieceRange(artefact, first);
  for await (const chunk of await source.artefact(artefact, start, signal)) {
    signal.throwIfAborted();
    for (let from = 0; from < chunk.length; ) {
      if (index === pieces.length) throw problem('artefact_long', { facts: { name, length } });
      const part = chunk.subarray(from, from + end - start - filled);
      from += part.length;
      // One that is a piece as it comes is not copied.
      const bytes = part.length === end - start ? part : gathering.subarray(0, filled + part.length);
      if (bytes !== part) gathering.set(part, filled);
      filled += part.length;
      if (filled < end - start) continue;
      requirePiece(artefact, index, bytes);
      yield { index, start, bytes };
      index += 1;
      filled = 0;
      ({ start, end } = pieceRange(artefact, index));
    }
  }
  if (index < pieces.length)
    throw problem('artefact_short', { facts: { name, received: start + filled, length } });
}

function requirePiece({ name, pieces }: Artefact, index: number, bytes: Uint8Array): void {
  if (sha256Of(bytes) !== pieces[index]) throw problem('piece_wrong', { facts: { name, index } });
}

/** Of an artefact at an edge. */
export function artefactUrl(edgeUrl: string, { sha256, name }: Artefact): string {
  return `${edgeUrl}/artefacts/${sha256}/${name}`;
}

/** An edge's HTTP. */
export function edgeSource(edgeUrl: string): ReleaseSource {
  return {
    trustFile: async (name, signal) => {
      const response = await fetch(`${edgeUrl}/trust/${name}`, { redirect: 'error', signal });
      if (response.status === 404) return undefined;
      return bodyOf(response);
    },
    artefact: (artefact, start, signal) =>
      getBytes(artefactUrl(edgeUrl, artefact), {
        ...{ start, signal, silenceMs: SILENCE_MOST_MS },
        chunkBytes: Math.min(artefact.pieceBytes, artefact.length),
      }),
  };
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  if (!response.ok || !response.body) throw new Error(`${response.url}: status ${response.status}`);
  return response.body;
}

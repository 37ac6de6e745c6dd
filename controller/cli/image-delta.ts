import { type Client, endpoints } from '@bootswarm/controller/contract';
import {
  type Artefact,
  ChunkIndex,
  ChunkIndexUnreadable,
  deltaOf,
  edgeArtefacts,
  findArtefact,
  type Manifest,
  MOST_CHUNK_INDEX_BYTES,
  sha256Of,
} from '@bootswarm/images/format';

/** Bytes. */
export interface FetchSize {
  /** What an edge that holds the older release fetches for the newer one. */
  readonly fetchBytes: number;
  /** What one that holds nothing fetches. */
  readonly wholeBytes: number;
}

/** As edges do: what they have is not fetched, and of a root with a chunk index only the chunks that are new. */
export async function fetchSize(
  controller: Client,
  before: Manifest,
  after: Manifest,
  signal: AbortSignal,
): Promise<FetchSize> {
  const held = new Set(before.artefacts.map(({ sha256 }) => sha256));
  let [fetchBytes, wholeBytes] = [0, 0];
  for (const artefact of edgeArtefacts(after)) {
    wholeBytes += artefact.length;
    if (held.has(artefact.sha256)) continue;
    const spared = artefact.role === 'root' ? await rootReuse(controller, before, after, signal) : 0;
    fetchBytes += artefact.length - spared;
  }
  return { fetchBytes, wholeBytes };
}

async function rootReuse(
  controller: Client,
  before: Manifest,
  after: Manifest,
  signal: AbortSignal,
): Promise<number> {
  const from = await chunkIndexOf(controller, before, signal);
  const to = from && (await chunkIndexOf(controller, after, signal));
  return to ? deltaOf([from], to).reuseBytes : 0;
}

/** undefined where the release has none that an edge would go by. */
async function chunkIndexOf(
  controller: Client,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<ChunkIndex | undefined> {
  const [chunks, root] = [findArtefact(manifest, 'chunks'), findArtefact(manifest, 'root')];
  if (!chunks || !root || chunks.length > MOST_CHUNK_INDEX_BYTES) return undefined;
  const bytes = await bytesOf(controller, chunks, signal);
  try {
    const index = sha256Of(bytes) === chunks.sha256 ? new ChunkIndex(bytes) : undefined;
    return index?.sha256 === root.sha256 && index.length === root.length ? index : undefined;
  } catch (error) {
    if (error instanceof ChunkIndexUnreadable) return undefined;
    throw error;
  }
}

/** No more than one part beyond what there should be. */
async function bytesOf(
  controller: Client,
  { sha256, length }: Artefact,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const response = await controller.fetch(endpoints.fetchArtefact, { params: { sha256 } }, { signal });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > length) break;
  }
  return Buffer.concat(parts);
}

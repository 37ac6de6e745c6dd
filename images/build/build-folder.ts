import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Artefact,
  type ArtefactRole,
  artefactTorrent,
  type Digest,
  digestOf,
  isSwarmed,
  Manifest,
  makeChunkIndex,
  type Problem,
  torrentDigestOf,
} from '@bootswarm/images/format';
import { z } from 'zod';
import { problem } from './problems.ts';

/** File names in a build folder, by what they are for. */
export const ARTEFACT_NAMES = {
  kernel: 'vmlinuz',
  initramfs: 'initrd.img',
  root: 'root.squashfs',
  tree: 'tree.tar',
  'tree-index': 'tree-index.json',
  chunks: 'root.chunks',
  contents: 'contents.json.zst',
  disk: 'disk.raw.zst',
  iso: 'medium.iso',
} as const satisfies Readonly<Record<ArtefactRole, string>>;
const MANIFEST_NAME = 'manifest.json';
/** One read per piece, in place of Node's sixteen. */
const READ_BYTES = 1024 * 1024;

/** A finished build on disk: manifest.json and the artefacts that it names. */
export interface BuildFolder {
  readonly manifest: Manifest;
  readonly artefactPath: (artefact: Artefact) => string;
}

export interface HashOptions {
  /** Told the bytes hashed so far, and all of them. */
  readonly onBytes?: (bytes: number, ofBytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Opens a build folder. Checks the manifest and that each artefact is there in full; reads no artefact.
 * @throws Problem `manifest_unreadable`, `manifest_invalid`, `artefact_missing`, `artefact_wrong_length`.
 */
export async function readBuildFolder(folder: string): Promise<BuildFolder> {
  const manifest = await readManifest(folder);
  const artefactPath = (artefact: Artefact): string => join(folder, artefact.name);
  for (const artefact of manifest.artefacts) {
    const found = await lengthOf(artefactPath(artefact), artefact.name);
    if (found !== artefact.length) {
      throw problem('artefact_wrong_length', {
        field: artefact.name,
        facts: { file: artefact.name, found, expected: artefact.length },
      });
    }
  }
  return { manifest, artefactPath };
}

/**
 * Opens a build folder and hashes every byte of it.
 * @throws Problem `artefact_wrong_hash`, naming the first piece that differs; `manifest_invalid` where the manifest
 * contradicts itself or an infohash is another artefact's; else as `readBuildFolder`.
 */
export async function verifyBuildFolder(folder: string, options: HashOptions = {}): Promise<BuildFolder> {
  const build = await readBuildFolder(folder);
  const total = build.manifest.artefacts.reduce((sum, artefact) => sum + artefact.length, 0);
  let before = 0;
  for (const artefact of build.manifest.artefacts) {
    const digest = await digestFile(
      build.artefactPath(artefact),
      { pieceBytes: artefact.pieceBytes, isSwarmed: artefact.infohash !== undefined },
      options.signal,
      (bytes) => options.onBytes?.(before + bytes, total),
    );
    refuseOtherDigest(artefact, digest);
    before += artefact.length;
  }
  return build;
}

/**
 * Writes the chunk index of a root beside it, hashes the artefacts that lie in `folder`, and writes manifest.json.
 * @param names of files that are not called as in ARTEFACT_NAMES.
 * @returns the manifest as written.
 * @throws Problem `manifest_invalid` where one is missing that the boot style needs.
 */
export async function writeManifest(
  folder: string,
  release: Omit<Manifest, 'format' | 'artefacts'>,
  options: HashOptions = {},
  names: Partial<Record<ArtefactRole, string>> = {},
): Promise<Manifest> {
  const allNames = { ...ARTEFACT_NAMES, ...names };
  await writeRootChunks(join(folder, allNames.root), join(folder, allNames.chunks), options.signal);
  const manifest = await describeRelease(folder, release, options, allNames);
  await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/**
 * Hashes those of the named files that lie in `folder`, and writes nothing.
 * @throws Problem `manifest_invalid` where one is missing that the boot style needs.
 */
export async function describeRelease(
  folder: string,
  release: Omit<Manifest, 'format' | 'artefacts'>,
  options: HashOptions,
  names: Partial<Record<ArtefactRole, string>>,
): Promise<Manifest> {
  const present = new Set(await readdir(folder));
  const expected = Object.entries(names).filter(([, name]) => present.has(name));
  const files = await Promise.all(
    expected.map(async ([role, name]) => ({
      role: role as ArtefactRole,
      name,
      path: join(folder, name),
      length: await lengthOf(join(folder, name), name),
    })),
  );
  const total = files.reduce((sum, file) => sum + file.length, 0);
  const artefacts: Artefact[] = [];
  let before = 0;
  for (const { role, name, path, length } of files) {
    const digest = await digestFile(path, { isSwarmed: isSwarmed(role) }, options.signal, (bytes) =>
      options.onBytes?.(before + bytes, total),
    );
    artefacts.push({ role, name, ...digest, pieces: [...digest.pieces] });
    before += length;
  }
  return parseManifest(folder, { format: 1, ...release, artefacts });
}

/** Nothing where there is no root, or one of more chunks than an index holds. */
async function writeRootChunks(root: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  if (!existsSync(root)) return;
  const index = await makeChunkIndex(
    createReadStream(root, { highWaterMark: READ_BYTES, ...(signal && { signal }) }),
  );
  if (index) await writeFile(to, index);
}

async function readManifest(folder: string): Promise<Manifest> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(join(folder, MANIFEST_NAME), 'utf8'));
  } catch (error) {
    throw problem('manifest_unreadable', { facts: { folder, reason: reasonOf(error) }, cause: error });
  }
  return parseManifest(folder, content);
}

function parseManifest(folder: string, content: unknown): Manifest {
  const parsed = Manifest.safeParse(content);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  const reason = z.prettifyError(parsed.error);
  throw problem('manifest_invalid', { field, facts: { folder, reason } });
}

async function lengthOf(path: string, file: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw problem('artefact_missing', {
      field: file,
      facts: { file, reason: reasonOf(error) },
      cause: error,
    });
  }
}

/** An infohash needs SHA-1 beside SHA-256; only what is fetched by swarms pays for it. */
async function digestFile(
  path: string,
  how: { readonly pieceBytes?: number; readonly isSwarmed: boolean },
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<Digest & { readonly infohash?: string }> {
  const stream = createReadStream(path, { highWaterMark: READ_BYTES, ...(signal && { signal }) });
  if (!how.isSwarmed) return digestOf(stream, onBytes, how.pieceBytes);
  const { sha1Pieces, ...digest } = await torrentDigestOf(stream, onBytes, how.pieceBytes);
  return { ...digest, infohash: artefactTorrent(digest, sha1Pieces).infohash };
}

function refuseOtherDigest(artefact: Artefact, digest: Digest & { readonly infohash?: string }): void {
  if (digest.sha256 === artefact.sha256) {
    if (digest.infohash === artefact.infohash) return;
    throw contradiction(artefact, 'infohash is not that of its bytes');
  }
  const index = artefact.pieces.findIndex((hash, at) => hash !== digest.pieces[at]);
  // Every piece agrees and the whole does not: then it is the manifest that contradicts itself.
  if (index < 0) throw contradiction(artefact, 'sha256 contradicts the hashes of the pieces');
  throw problem('artefact_wrong_hash', {
    field: artefact.name,
    facts: {
      file: artefact.name,
      piece: index + 1,
      pieces: artefact.pieces.length,
      offset: index * artefact.pieceBytes,
    },
  });
}

function contradiction(artefact: Artefact, reason: string): Problem {
  return problem('manifest_invalid', { field: 'artefacts', facts: { folder: artefact.name, reason } });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

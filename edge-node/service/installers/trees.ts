import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DesiredState } from '@bootswarm/controller/contract';
import { findArtefact, releaseId, TreeIndex } from '@bootswarm/images/format';
import type { ArtefactFolder } from '@bootswarm/images/swarm';
import { findInTreeIndex, lookupOf, type TreeLookup, treePathOf } from '../decide/tree-lookup.ts';

/** Indexes in memory at once: some 100 bytes for each of up to 100,000 files. */
const LOOKUPS_MOST = 8;

export interface TreesParts {
  readonly serving: { readonly state: Pick<DesiredState, 'releases'> | undefined };
  readonly isReady: (sha256: string) => boolean;
  readonly folder: Pick<ArtefactFolder, 'pathOf'>;
}

/** What is sent for a path of a tree. */
export type TreeAnswer =
  | {
      readonly kind: 'file';
      /** Of the artefact `tree`, of which the file is a part. */
      readonly path: string;
      readonly part: { readonly start: number; readonly end: number };
      /** Names these bytes, as long as the release lives. */
      readonly sha256: string;
    }
  | { readonly kind: 'folder'; readonly html: string }
  /** A folder that was asked for without the slash that its relative links need. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'none' };

/** The repositories of installers that this edge mirrors: ranges of artefacts, and no path of this host. */
export class Trees {
  readonly #parts: TreesParts;
  /** By SHA-256 of the index, in the order in which they were last asked. */
  readonly #lookups = new Map<string, Promise<TreeLookup>>();

  constructor(parts: TreesParts) {
    this.#parts = parts;
  }

  /**
   * @param target as it stands in the request behind `/trees/`: `NAME/VERSION/ARCHITECTURE/PATH`, without a query.
   * @throws where the index cannot be read.
   */
  async find(target: string): Promise<TreeAnswer & { readonly release?: string }> {
    const [name = '', version = '', architecture = '', ...rest] = target.split('/');
    const release = [name, version, architecture].map(decoded).join('/');
    const manifest = this.#parts.serving.state?.releases.find((each) => releaseId(each) === release);
    const tree = manifest && findArtefact(manifest, 'tree');
    const index = manifest && findArtefact(manifest, 'tree-index');
    const path = treePathOf(rest.join('/'));
    const { isReady, folder } = this.#parts;
    if (!tree || !index || path === undefined || !isReady(tree.sha256) || !isReady(index.sha256))
      return { kind: 'none' };
    const found = findInTreeIndex(await this.#lookup(index.sha256), path);
    if (found === undefined) return { kind: 'none' };
    if (found.kind === 'folder')
      return target.endsWith('/') ? { kind: 'folder', html: listingOf(found.names) } : { kind: 'moved' };
    if (target.endsWith('/')) return { kind: 'none' };
    const part = { start: found.offset, end: found.offset + found.length };
    const sha256 = createHash('sha256').update(`${tree.sha256} ${part.start} ${part.end}`).digest('hex');
    return { kind: 'file', path: folder.pathOf(tree.sha256), part, sha256, release };
  }

  #lookup(sha256: string): Promise<TreeLookup> {
    const known = this.#lookups.get(sha256) ?? this.#read(sha256);
    this.#lookups.delete(sha256);
    this.#lookups.set(sha256, known);
    const [oldest] = this.#lookups.keys();
    if (this.#lookups.size > LOOKUPS_MOST && oldest !== undefined) this.#lookups.delete(oldest);
    return known;
  }

  async #read(sha256: string): Promise<TreeLookup> {
    try {
      const text = await readFile(this.#parts.folder.pathOf(sha256), 'utf8');
      return lookupOf(TreeIndex.parse(JSON.parse(text)));
    } catch (error) {
      // Whoever asks next tries again.
      this.#lookups.delete(sha256);
      throw error;
    }
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

function listingOf(names: readonly string[]): string {
  const lines = names.map((name) => {
    const isFolder = name.endsWith('/');
    const target = encodeURIComponent(isFolder ? name.slice(0, -1) : name) + (isFolder ? '/' : '');
    // `./` keeps a name with a colon from being read as a scheme.
    return `<a href="./${target}">${escaped(name)}</a><br>`;
  });
  return `<!doctype html>\n<meta charset="utf-8">\n${lines.join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

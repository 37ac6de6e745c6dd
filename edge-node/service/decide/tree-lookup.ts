import { type TreeIndex, TreePath } from '@bootswarm/images/format';

/** Links that lead to links: as many as Linux follows (path_resolution(7)). */
const LINKS_MOST = 40;

/** Where the bytes of a file stand in the artefact `tree`. */
interface TreeFile {
  readonly kind: 'file';
  readonly offset: number;
  readonly length: number;
}

type TreeNode = TreeFile | { readonly kind: 'link'; readonly target: string };

/** What a path of a tree stands for. */
export type TreeEntry =
  | TreeFile
  /** Names in order; those of folders end with a slash. */
  | { readonly kind: 'folder'; readonly names: readonly string[] };

/** An index made ready to be asked. Nothing here is a path of this host. */
export interface TreeLookup {
  readonly nodes: ReadonlyMap<string, TreeNode>;
  /** Names inside, by folder; the top is ''. */
  readonly folders: ReadonlyMap<string, ReadonlySet<string>>;
}

export function lookupOf({ files, links }: TreeIndex): TreeLookup {
  const nodes = new Map<string, TreeNode>();
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  const enter = (path: string, node: TreeNode): void => {
    nodes.set(path, node);
    let name = path;
    for (let at = path.lastIndexOf('/'); ; at = name.lastIndexOf('/')) {
      const folder = at < 0 ? '' : name.slice(0, at);
      const known = folders.get(folder);
      const names = known ?? new Set<string>();
      names.add(name.slice(at + 1));
      if (!known) folders.set(folder, names);
      if (known || folder === '') return;
      name = folder;
    }
  };
  for (const { path, offset, length } of files) enter(path, { kind: 'file', offset, length });
  for (const { path, target } of links) enter(path, { kind: 'link', target });
  return { nodes, folders };
}

/** What stands at a path, links followed inside the tree; undefined where there is nothing. */
export function findInTreeIndex(tree: TreeLookup, path: string): TreeEntry | undefined {
  const found = resolve(tree, path);
  if (found === undefined) return undefined;
  const names = tree.folders.get(found);
  if (names) return { kind: 'folder', names: listed(tree, found, names) };
  const node = tree.nodes.get(found);
  return node?.kind === 'file' ? node : undefined;
}

/**
 * The path that a request's target names, decoded once; undefined where it is none that a tree can have: `..`, empty
 * parts, an encoded slash, NUL, what is no UTF-8. One slash at the end is a folder's.
 * @param raw as it stands in the request, behind the tree's own path and its slash, without a query.
 */
export function treePathOf(raw: string): string | undefined {
  const path = raw.endsWith('/') ? raw.slice(0, -1) : raw;
  if (path === '') return raw === '/' ? undefined : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    const decoded = decodedPart(part);
    if (decoded === undefined || decoded.includes('/')) return undefined;
    parts.push(decoded);
  }
  return TreePath.safeParse(parts.join('/')).data;
}

/** The plain path behind all links, `undefined` where they lead nowhere or in a circle. */
function resolve({ nodes, folders }: TreeLookup, asked: string): string | undefined {
  let left = LINKS_MOST;
  let path = asked;
  for (let end = 0; end <= path.length; ) {
    const slash = path.indexOf('/', end);
    const upTo = slash < 0 ? path.length : slash;
    const node = nodes.get(path.slice(0, upTo));
    if (node?.kind === 'link') {
      left -= 1;
      if (left < 0) return undefined;
      path = node.target + path.slice(upTo);
      end = 0;
      continue;
    }
    end = upTo + 1;
  }
  return folders.has(path) || nodes.has(path) ? path : undefined;
}

function listed(tree: TreeLookup, folder: string, names: ReadonlySet<string>): readonly string[] {
  const isFolder = (name: string): boolean => {
    const found = resolve(tree, folder === '' ? name : `${folder}/${name}`);
    return found !== undefined && tree.folders.has(found);
  };
  return [...names].sort().map((name) => (isFolder(name) ? `${name}/` : name));
}

function decodedPart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteRange, type Medium, MOST_FILES, makeMedium } from './medium.ts';
import { problem } from './problems.ts';

const MOST_DEPTH = 64;

/**
 * Lists a folder, such as the mount point of an ISO. Links to folders are not followed; devices, sockets and pipes
 * are left out.
 * @throws Problem `import_unreadable`, `medium_too_large`.
 */
export async function openFolder(folder: string, signal?: AbortSignal): Promise<Medium> {
  const files = new Map<string, ByteRange>();
  const links = new Map<string, string>();
  const walk = async (below: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    if (depth > MOST_DEPTH || files.size > MOST_FILES)
      throw problem('medium_too_large', { facts: { source: folder, most: MOST_FILES } });
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const file = join(folder, path);
      if (entry.isDirectory()) await walk(path, depth + 1);
      else if (entry.isSymbolicLink()) links.set(path, await readlink(file));
      else if (entry.isFile()) files.set(path, { file, offset: 0, length: (await lstat(file)).size });
    }
  };
  try {
    await walk('', 0);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw problem('import_unreadable', { facts: { source: folder, reason: error.message }, cause: error });
  }
  return makeMedium({ kind: 'folder', source: folder, whole: undefined }, { files, links });
}

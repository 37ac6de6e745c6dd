import { access, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { problem } from './problems.ts';

export interface WorkFolder {
  /** Becomes the result. */
  readonly result: string;
  /** Thrown away. */
  readonly scratch: string;
}

/**
 * Fills a folder that appears at `outFolder` complete and on disk, or not at all.
 * @param replace whether a folder may be there already; it stays until the new one is complete.
 * @throws Problem `out_exists`; Problem `disk_full` in place of ENOSPC; otherwise what `fill` throws.
 */
export async function assembleFolder<Result>(
  outFolder: string,
  replace: boolean,
  fill: (work: WorkFolder) => Promise<Result>,
): Promise<Result> {
  const out = resolve(outFolder);
  if (!replace) await refuseExisting(out);
  await mkdir(dirname(out), { recursive: true });
  // Beside the result, because a rename is atomic only within one file system.
  const work = await mkdtemp(join(dirname(out), `.${basename(out)}.building-`));
  try {
    const folders = { result: join(work, 'result'), scratch: join(work, 'scratch') };
    await mkdir(folders.result);
    await mkdir(folders.scratch);
    const result = await fill(folders);
    await syncFolder(folders.result);
    if (replace) await rename(out, join(work, 'replaced')).catch(ignoreAbsent);
    else await refuseExisting(out);
    await rename(folders.result, out);
    await sync(dirname(out));
    return result;
  } catch (error) {
    if (isErrno(error, 'ENOSPC'))
      throw problem('disk_full', { facts: { folder: dirname(out) }, cause: error });
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function refuseExisting(out: string): Promise<void> {
  const exists = await access(out).then(
    () => true,
    () => false,
  );
  if (exists) throw problem('out_exists', { field: 'outFolder', facts: { folder: out } });
}

async function syncFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await sync(join(folder, name));
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function ignoreAbsent(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}

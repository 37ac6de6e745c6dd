import { constants } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FIRMWARE, FIRMWARE_MOST_BYTES, FIRMWARE_NAME } from '@bootswarm/ipxe';
import { problem } from '../problems.ts';

/**
 * Boot files by the name under which machines ask for them, held in memory: they are small, and every machine asks for
 * one. What a Debian package brings is there if the package is; an operator's files are added, or stand in for those.
 * @param folder of an operator's own files: flat, regular files alone.
 * @throws Problem firmware_missing, firmware_refused
 */
export async function loadFirmware(
  folder: string | undefined,
  catalogue = FIRMWARE,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const [packaged, own] = await Promise.all([readPackaged(catalogue), readFolder(folder)]);
  return new Map([...packaged, ...own]);
}

async function readPackaged(catalogue: typeof FIRMWARE): Promise<readonly (readonly [string, Uint8Array])[]> {
  const read = Object.values(catalogue).map(async ({ name, path, package: debianPackage, isRequired }) => {
    try {
      return [[name, new Uint8Array(await readFile(path))] as const];
    } catch (error) {
      if (!isRequired) return [];
      throw problem('firmware_missing', {
        facts: { path, reason: reasonOf(error), debianPackage },
        cause: error,
      });
    }
  });
  return (await Promise.all(read)).flat();
}

async function readFolder(folder: string | undefined): Promise<readonly (readonly [string, Uint8Array])[]> {
  if (folder === undefined) return [];
  const names = await readdir(folder).catch((error: unknown) => {
    throw refused(folder, reasonOf(error), error);
  });
  return Promise.all(names.map(async (name) => [name, await readOwn(folder, name)] as const));
}

async function readOwn(folder: string, name: string): Promise<Uint8Array> {
  const path = join(folder, name);
  if (!FIRMWARE_NAME.test(name)) throw refused(path, 'its name has other characters than A-Z a-z 0-9 . _ -');
  // Neither follows a link nor waits for a pipe's writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw refused(path, error.code === 'ELOOP' ? 'it is a symbolic link' : reasonOf(error), error);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw refused(path, 'it is no regular file');
    if (stats.size > FIRMWARE_MOST_BYTES)
      throw refused(path, `it has ${stats.size} bytes, and ${FIRMWARE_MOST_BYTES} are the most`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

function refused(path: string, reason: string, cause?: unknown): Error {
  return problem('firmware_refused', { field: 'firmware', facts: { path, reason }, cause });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

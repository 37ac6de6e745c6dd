import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CpioEntry } from './cpio.ts';
import { FIRMWARE_BOUND } from './drivers.ts';
import {
  type Chosen,
  chooseModules,
  moduleName,
  modulesAlias,
  modulesDep,
  modulesSoftdep,
  readModule,
} from './kernel-modules.ts';

const MODULE = /\.ko(\.(xz|zst|gz))?$/;
const DECOMPRESSORS: Readonly<Record<string, string>> = { xz: 'xz', zst: 'zstd', gz: 'gzip' };
const MODULE_MOST_BYTES = 64 * 1024 * 1024;

/** The kernel of an unpacked package: its image and its modules. */
export interface KernelTree {
  /** `6.1.0-56-amd64` */
  readonly release: string;
  /** Paths on this host. */
  readonly image: string;
  readonly moduleFolder: string;
}

export interface TakenModules extends Chosen {
  readonly entries: readonly CpioEntry[];
  /** Drivers that stayed out because their firmware is not at hand, with what they ask for. */
  readonly leftOut: readonly { readonly name: string; readonly firmware: readonly string[] }[];
  /** Blobs that went in. */
  readonly firmware: readonly string[];
}

/** The kernels of a tree; there is one unless the packages are odd. */
export async function findKernels(root: string): Promise<readonly KernelTree[]> {
  const images = await readdir(join(root, 'boot')).catch(() => []);
  return Promise.all(
    images
      .filter((name) => name.startsWith('vmlinuz-'))
      .map(async (name) => {
        const release = name.slice('vmlinuz-'.length);
        const folders = ['lib/modules', 'usr/lib/modules'].map((path) => join(root, path, release));
        const [first = '', second = ''] = folders;
        const isMerged = await readdir(first).then(
          () => false,
          () => true,
        );
        return { release, image: join(root, 'boot', name), moduleFolder: isMerged ? second : first };
      }),
  );
}

/**
 * The modules of `wanted` and what they need, uncompressed: together they compress better than each by itself.
 * @param firmwareFolder blobs as they lie below /lib/firmware; a driver that does nothing without one comes with it.
 */
export async function takeModules(
  { release, moduleFolder }: KernelTree,
  wanted: Iterable<string>,
  firmwareFolder: string | undefined,
): Promise<TakenModules> {
  const all = await readdir(moduleFolder, { recursive: true });
  const packed = new Map(
    all.filter((path) => MODULE.test(path)).map((path) => [path.replace(MODULE, '.ko'), path]),
  );
  const builtIn = (await readFile(join(moduleFolder, 'modules.builtin'), 'utf8')).split('\n').filter(Boolean);
  const contents = new Map<string, Uint8Array>();
  const read = async (path: string) => {
    const bytes = await moduleBytes(join(moduleFolder, packed.get(path) ?? path));
    contents.set(path, bytes);
    return readModule(path, bytes);
  };
  const paths = [...packed.keys()];
  const names = new Set(builtIn.map(moduleName));
  const bound = await chooseModules(FIRMWARE_BOUND, paths, names, read);
  const blobs = await blobsOf(bound, firmwareFolder);
  const leftOut = bound.modules
    .filter(({ name }) => FIRMWARE_BOUND.has(name))
    .filter(({ firmware }) => !firmware.some((blob) => blobs.has(blob)))
    .map(({ name, firmware }) => ({ name, firmware }));
  const without = new Set(leftOut.map(({ name }) => name));
  const chosen = await chooseModules(
    [...wanted].filter((name) => !without.has(name)),
    paths,
    names,
    read,
  );
  const more = await blobsOf(chosen, firmwareFolder);
  const below = (path: string, bytes: Uint8Array): CpioEntry => ({
    kind: 'file',
    path: `usr/lib/modules/${release}/${path}`,
    executable: false,
    bytes,
  });
  const entries = [
    ...chosen.modules.map(({ path }) => below(path, contents.get(path) ?? new Uint8Array())),
    below('modules.dep', Buffer.from(modulesDep(chosen.modules))),
    below('modules.alias', Buffer.from(modulesAlias(chosen.modules))),
    below('modules.softdep', Buffer.from(modulesSoftdep(chosen.modules))),
    ...Array.from(more, ([blob, bytes]) => ({
      kind: 'file' as const,
      path: `usr/lib/firmware/${blob}`,
      executable: false,
      bytes,
    })),
  ];
  return { ...chosen, entries, leftOut, firmware: [...more.keys()] };
}

/** Of what the modules may ask for, what lies in the folder. */
async function blobsOf({ modules }: Chosen, folder: string | undefined): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  if (folder === undefined) return found;
  for (const blob of new Set(modules.flatMap(({ firmware }) => firmware))) {
    const bytes = await readFile(join(folder, blob)).catch(() => undefined);
    if (bytes !== undefined) found.set(blob, bytes);
  }
  return found;
}

/** Debian 13 compresses each module. */
async function moduleBytes(path: string): Promise<Uint8Array> {
  const [, , extension = ''] = MODULE.exec(path) ?? [];
  const tool = DECOMPRESSORS[extension];
  if (tool === undefined) return readFile(path);
  const { stdout } = await promisify(execFile)(tool, ['-dc', path], {
    encoding: 'buffer',
    maxBuffer: MODULE_MOST_BYTES,
  });
  return stdout;
}

import { constants } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootRole, Manifest } from '@bootswarm/images/format';
import { ARTEFACT_NAMES, writeManifest } from './build-folder.ts';
import { LIVE_BOOT_ARGUMENT } from './plan.ts';
import { problem } from './problems.ts';
import type { BuildProgress } from './progress.ts';
import { assembleFolder } from './work-folder.ts';

export interface ImportOptions extends Pick<Manifest, 'name' | 'version' | 'architecture'> {
  /** A mounted live ISO, its `live` folder, or any folder with the three files. */
  readonly folder: string;
  /** What machines need beyond `boot=live`, which comes first by itself. */
  readonly kernelArguments: readonly string[];
  readonly outFolder: string;
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BuildProgress) => void;
}

interface Candidate {
  readonly what: string;
  /** A file of one of these names is taken even where others match. */
  readonly plainNames: readonly string[];
  readonly pattern: RegExp;
  readonly patternText: string;
}

/** Names as live-build gives them: `vmlinuz-6.1.0-56-amd64` beside `vmlinuz` on ISOs of several kernels. */
const CANDIDATES: Readonly<Record<BootRole, Candidate>> = {
  kernel: {
    what: 'kernel',
    plainNames: ['vmlinuz'],
    pattern: /^vmlinuz([-.].+|\d*)$/,
    patternText: 'vmlinuz*',
  },
  initramfs: {
    what: 'initramfs',
    plainNames: ['initrd.img', 'initrd'],
    pattern: /^initrd(\.img)?([-.].+|\d*)$/,
    patternText: 'initrd*',
  },
  root: {
    what: 'root file system',
    plainNames: ['filesystem.squashfs', 'root.squashfs'],
    pattern: /\.squashfs$/,
    patternText: '*.squashfs',
  },
};

/**
 * Copies a Debian live system into a build folder.
 * @throws Problem `import_unreadable`, `import_missing`, `import_ambiguous`, `out_exists`.
 */
export async function importFolder(options: ImportOptions): Promise<Manifest> {
  const { folder, names } = await liveFolder(options.folder);
  const chosen = chooseArtefacts(names, folder);
  return assembleFolder(options.outFolder, options.replace ?? false, async ({ result }) => {
    for (const [role, name] of Object.entries(chosen) as [BootRole, string][]) {
      options.signal?.throwIfAborted();
      await copyFile(join(folder, name), join(result, ARTEFACT_NAMES[role]), constants.COPYFILE_FICLONE);
    }
    const { name, version, architecture } = options;
    const others = options.kernelArguments.filter((argument) => argument !== LIVE_BOOT_ARGUMENT);
    return writeManifest(
      result,
      {
        name,
        version,
        architecture,
        bootStyle: 'live-boot',
        kernelArguments: [LIVE_BOOT_ARGUMENT, ...others],
      },
      {
        ...(options.signal && { signal: options.signal }),
        onBytes: (bytes, ofBytes) => options.onProgress?.({ stage: 'hash', fraction: bytes / ofBytes }),
      },
    );
  });
}

/**
 * Picks the file of each role from the names in a folder.
 * @throws Problem `import_missing` or `import_ambiguous`.
 */
export function chooseArtefacts(names: readonly string[], folder: string): Record<BootRole, string> {
  const choose = (role: BootRole): string => {
    const { what, plainNames, pattern, patternText } = CANDIDATES[role];
    const plain = names.filter((name) => plainNames.includes(name));
    const found = plain.length > 0 ? plain : names.filter((name) => pattern.test(name));
    const [only] = found;
    if (only === undefined)
      throw problem('import_missing', { field: role, facts: { what, folder, patterns: patternText } });
    if (found.length > 1) {
      throw problem('import_ambiguous', {
        field: role,
        facts: { what, folder, found: found.sort().join(', ') },
      });
    }
    return only;
  };
  return { kernel: choose('kernel'), initramfs: choose('initramfs'), root: choose('root') };
}

async function liveFolder(folder: string): Promise<{ folder: string; names: string[] }> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    if (entries.some((entry) => entry.name === 'live' && entry.isDirectory()))
      return await liveFolder(join(folder, 'live'));
    return { folder, names: entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw problem('import_unreadable', { field: 'folder', facts: { folder, reason }, cause: error });
  }
}

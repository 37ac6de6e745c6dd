import { constants, copyFile, mkdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ARTEFACT_NAMES } from './build-folder.ts';
import type { ConfiguredRoot } from './builder-configure.ts';
import { type Build, runStep } from './builder-steps.ts';
import { layerKey } from './cache-keys.ts';
import { mksquashfsArguments, mksquashfsRestArguments, mksquashfsUsrArguments } from './plan.ts';

/**
 * Packs the root: /usr first and by itself, then the rest behind it. /usr is nearly all of it, and what
 * a recipe configures is elsewhere, so a build mostly finds its /usr packed already; and a machine or edge
 * that has the release before this one has most pieces of it. With or without the cache the bytes are the same.
 */
export async function packRoot(build: Build, { root, usrKey }: ConfiguredRoot, epoch: number): Promise<void> {
  const { cache, work, recipe } = build;
  const squashfs = join(work.result, ARTEFACT_NAMES.root);
  // Out of the root: what mksquashfs appends must not be there yet, also not if it is to be left out.
  const usr = join(work.scratch, 'usr');
  await mkdir(usr);
  await rename(join(root, 'usr'), join(usr, 'usr'));
  await utimes(root, epoch, epoch);

  const pack = (list: readonly string[]): Promise<void> =>
    runStep(build, {
      command: 'mksquashfs',
      package: 'squashfs-tools',
      arguments: list,
      environment: { SOURCE_DATE_EPOCH: String(epoch) },
    });
  // Its own arguments decide about the bytes as well.
  const key = layerKey(usrKey, epoch, '', mksquashfsArguments('', ''));
  await using kept = await cache?.use('usr', key);
  if (kept !== undefined) await copyFile(kept.data, squashfs, constants.COPYFILE_FICLONE);
  else {
    await pack(mksquashfsUsrArguments(join(usr, 'usr'), squashfs));
    const label = `${recipe.name} ${recipe.suite} ${recipe.architecture}`;
    await cache?.store('usr', key, label, (data) => copyFile(squashfs, data, constants.COPYFILE_FICLONE));
  }
  await pack(mksquashfsRestArguments(root, squashfs));
}

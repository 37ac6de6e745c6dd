import { buildMini, buildRecipe } from './build.ts';
import { pathOf } from './program.ts';
import type { Site } from './site.ts';

/** Gigabytes of a disk that takes the image of `readyToInstall` with room for what a layout asks for beside it. */
export const DISK_BYTES = 6 * 2 ** 30;

/**
 * Builds and publishes what machines are installed with: a mini image that trusts the site, which is used from then
 * on, and an image that has all that a profile may ask for.
 * @returns the image's release and where it was built.
 */
export async function readyToInstall(
  site: Site,
  folder: string,
  say: (stage: string, detail: string) => void,
): Promise<{ readonly release: string; readonly folder: string }> {
  const [mini, image] = [`${folder}/mini`, `${folder}/installable`];
  say('mini', 'bootswarm mini build: the image with the agent');
  await buildMini('vm', mini, site.env);
  const miniRelease = await site.publish(mini);
  await site.bootswarm('mini', 'use', miniRelease);
  say('mini', `${miniRelease} by bootswarm image publish and mini use`);
  await buildRecipe(pathOf('test/boot/fixtures/installable.yaml'), image, (detail) => say('build', detail));
  const release = await site.publish(image);
  say('publish', `${release} by bootswarm image publish`);
  await site.releaseReady(miniRelease);
  return { release, folder: image };
}

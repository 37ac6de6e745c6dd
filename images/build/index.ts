/** From a recipe or a Debian live system to a build folder: kernel, initramfs, root and manifest. */
export { type BuildFolder, type HashOptions, readBuildFolder, verifyBuildFolder } from './build-folder.ts';
export { type BuildOptions, buildImage } from './builder.ts';
export { BuildCache, type CacheEntry, defaultCacheFolder } from './cache.ts';
export {
  type ImportOptions,
  type ImportProgress,
  type ImportResult,
  importImage,
} from './import/import-image.ts';
export {
  buildMini,
  MINI_SUITES,
  type MiniOptions,
  type MiniProgress,
  type MiniResult,
} from './mini/build-mini.ts';
export { FLAVOURS, type Flavour } from './mini/drivers.ts';
export { MINI_MOST_BYTES } from './mini/sizes.ts';
export type { BuildProgress, BuildStage } from './progress.ts';
export { parseRecipe, type Recipe } from './recipe.ts';

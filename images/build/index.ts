/** From a recipe or a Debian live system to a build folder: kernel, initramfs, root and manifest. */
export { type BuildFolder, type HashOptions, readBuildFolder, verifyBuildFolder } from './build-folder.ts';
export { type BuildOptions, buildImage } from './builder.ts';
export { type ImportOptions, importFolder } from './import.ts';
export type { BuildProgress, BuildStage } from './progress.ts';
export { parseRecipe, type Recipe } from './recipe.ts';

/** A whole site in a lab, for tests that need one. */
export { buildMini } from './build.ts';
export { writeBuildFolder } from './build-folder.ts';
export { debianKernel, smallInitramfs } from './debian-kernel.ts';
export { pathOf, program } from './program.ts';
export { Site } from './site.ts';

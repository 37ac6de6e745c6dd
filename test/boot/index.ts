/** A whole site in a lab, for tests that need one. */
export { writeBuildFolder } from './build-folder.ts';
export { debianKernel, smallInitramfs } from './debian-kernel.ts';
export { program } from './program.ts';
export { Site } from './site.ts';

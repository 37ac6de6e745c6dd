/** A whole site in a lab, for tests that need one. */
export { buildMini } from './build.ts';
export { writeBuildFolder, writeRelease } from './build-folder.ts';
export { debianKernel, initramfsOf, smallInitramfs } from './debian-kernel.ts';
export {
  bootFrom,
  countedBytes,
  layFarEdge,
  publishRandom,
  readyLine,
  startFarEdge,
  uplink,
} from './far-edges.ts';
export { DISK_BYTES, readyToInstall } from './install-ground.ts';
export { diskArguments, emptyDisk, type MachineDisk } from './machine-disks.ts';
export { pathOf, program } from './program.ts';
export { Site } from './site.ts';
export { isThorough } from './thorough.ts';

/** The ipxe-builder: which iPXE binary a machine gets, and the script that it then runs. */
export { FIRMWARE, FIRMWARE_MOST_BYTES, FIRMWARE_NAME, type Firmware } from './firmware.ts';
export { renderGrub } from './grub.ts';
export { asAutoexec, renderHandover } from './handover.ts';
export { type BootPlan, SCRIPT_PATH, type Whereabouts } from './plan.ts';
export { type Platform, type PlatformKey, platformOf, USUAL_BOOT_FILES } from './platform.ts';
export { renderPxelinux } from './pxelinux.ts';
export { renderScript } from './script.ts';

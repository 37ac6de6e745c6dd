/** The ipxe-builder: which iPXE binary a machine gets, and the script that it then runs. */
export { FIRMWARE, type Firmware, type FirmwareName, type Platform, platformOf } from './firmware.ts';
export { type BootPlan, renderScript, SCRIPT_PATH, type Whereabouts } from './script.ts';

import { join } from 'node:path';
import { OVMF_FOLDER } from './requirements.ts';

/** `uefi-secure` is OVMF with Microsoft's keys enrolled and Secure Boot on. */
export type Firmware = 'bios' | 'uefi' | 'uefi-secure';

/**
 * What UEFI firmware boots by; HTTP boot is for IPv4 alone. BIOS knows PXE only. With `none` a machine boots its disks
 * alone, and has its card all the same.
 */
export type NetworkBoot = 'pxe' | 'http' | 'none';

export interface QemuMachine {
  readonly mac: string;
  readonly uuid: string;
  /** In SMBIOS, as on a server's label. */
  readonly serial?: string;
  readonly firmware: Firmware;
  readonly networkBoot?: NetworkBoot;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** QEMU's accelerator: `tcg` or `kvm`. */
  readonly accel: string;
  /** The NIC's option ROM; empty for none. Only QEMU's own, taken when this is absent, gets the NIC's PCI ids patched in. */
  readonly romFile?: string;
  /** Raw unless its name ends in `.qcow2`. */
  readonly diskFile?: string;
  /** A reboot ends the process instead. */
  readonly noReboot?: boolean;
  readonly tap: string;
  /** UEFI's variables; written to. */
  readonly variablesFile: string;
  readonly extraArguments?: readonly string[];
}

const OVMF = {
  uefi: { code: 'OVMF_CODE_4M.fd', variables: 'OVMF_VARS_4M.fd' },
  'uefi-secure': { code: 'OVMF_CODE_4M.ms.fd', variables: 'OVMF_VARS_4M.ms.fd' },
};

/** OVMF tries PXE first. Without PXE (edk2's OvmfPkg/RUNTIME_CONFIG.md) a fresh machine is left with HTTP boot. */
const HTTP_BOOT = ['IPv4PXESupport', 'IPv6PXESupport', 'IPv6Support'].flatMap((what) => [
  ...['-fw_cfg', `name=opt/org.tianocore/${what},string=no`],
]);

/** What a new machine's UEFI variables are copied from; undefined for BIOS. */
export function pristineVariables(firmware: Firmware): string | undefined {
  return firmware === 'bios' ? undefined : join(OVMF_FOLDER, OVMF[firmware].variables);
}

/** The command line of a machine that boots from its NIC first unless told, then its disk, with its console on stdio. */
export function qemuCommand(machine: QemuMachine): string[] {
  const { firmware, serial, diskFile, romFile } = machine;
  const bootsDisk = machine.networkBoot === 'none';
  const rom = bootsDisk ? ',romfile=' : romFile === undefined ? '' : `,romfile=${romFile}`;
  const bootIndex = bootsDisk ? '' : ',bootindex=1';
  return [
    'qemu-system-x86_64',
    ...['-nodefaults', '-display', 'none', '-monitor', 'none'],
    // graphics=off makes SeaBIOS and the option ROMs under it speak on the serial line.
    ...['-machine', machineType(firmware)],
    ...processorArguments(machine.accel),
    ...['-smp', String(machine.cpus), '-m', String(machine.memoryMiB)],
    ...['-uuid', machine.uuid],
    ...(serial === undefined ? [] : ['-smbios', `type=1,serial=${serial}`]),
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-netdev', `tap,id=net0,ifname=${machine.tap},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net0,mac=${machine.mac}${bootIndex}${rom}`],
    ...(diskFile === undefined ? [] : diskArguments(diskFile)),
    ...['-device', 'virtio-rng-pci'],
    ...(firmware === 'bios'
      ? ['-boot', bootsDisk ? 'c' : 'n']
      : flashArguments(firmware, machine.variablesFile)),
    ...(machine.networkBoot === 'http' ? HTTP_BOOT : []),
    ...(machine.noReboot ? ['-no-reboot'] : []),
    ...(machine.extraArguments ?? []),
  ];
}

function diskArguments(file: string): string[] {
  const format = file.endsWith('.qcow2') ? 'qcow2' : 'raw';
  return [
    ...['-drive', `if=none,id=disk0,format=${format},file=${file}`],
    ...['-device', 'virtio-blk-pci,drive=disk0,bootindex=2'],
  ];
}

/** Secure Boot keeps its variables from the system, by which the processor must have a mode of its own. */
export function machineType(firmware: Firmware): string {
  return firmware === 'uefi-secure' ? 'q35,graphics=off,smm=on' : 'q35,graphics=off';
}

/**
 * Every feature there is. Emulated, none by which Linux clears and copies memory a byte at a time, and no fifth level
 * of pages: with them a boot to the login prompt takes twice the processor's time.
 */
export function processorArguments(accel: string): string[] {
  return ['-accel', accel, '-cpu', accel === 'tcg' ? 'max,-erms,-fsrm,-la57' : 'max'];
}

/** A machine's UEFI and the variables that it keeps. */
export function flashArguments(firmware: 'uefi' | 'uefi-secure', variablesFile: string): string[] {
  const code = join(OVMF_FOLDER, OVMF[firmware].code);
  return [
    ...(firmware === 'uefi-secure' ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${code}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${variablesFile}`],
  ];
}

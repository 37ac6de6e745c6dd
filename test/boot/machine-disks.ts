import { closeSync, ftruncateSync, openSync } from 'node:fs';

/** A disk of an emulated machine. */
export interface MachineDisk {
  /** Raw. */
  readonly file: string;
  readonly serial: string;
}

/** Makes a disk that is empty, and takes room on this host only for what is written to it. */
export function emptyDisk(file: string, serial: string, bytes: number): MachineDisk {
  const handle = openSync(file, 'w');
  ftruncateSync(handle, bytes);
  closeSync(handle);
  return { file, serial };
}

/** For QEMU's command line: disks that a machine tries to boot after its network, in their order. */
export function diskArguments(disks: readonly MachineDisk[]): string[] {
  return disks.flatMap(({ file, serial }, index) => [
    // What the host's disk does is nobody's measurement.
    ...['-drive', `if=none,id=disk${index},format=raw,cache=unsafe,discard=unmap,file=${file}`],
    ...['-device', `virtio-blk-pci,drive=disk${index},serial=${serial},bootindex=${index + 2}`],
  ]);
}

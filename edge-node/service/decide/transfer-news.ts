import type { BootCause } from '@bootswarm/controller/contract';
import type { BootRole } from '@bootswarm/images/format';

/** What a transfer tells of a boot. */
export interface TransferNews {
  /** For a person. */
  readonly detail: string;
  /** Why the boot goes no further; left out where all of it arrived. */
  readonly cause?: BootCause;
  /** Of the intent that it is part of, where that is work on disks. */
  readonly epoch?: number;
}

/**
 * Endings of TFTP that tell nothing. Firmware asks for the length first and hangs up (boot-protocols.md, quirk 8); a
 * ROM that leaves its last block unacknowledged or starts over comes back at once.
 */
const NO_NEWS: ReadonlySet<string> = new Set([
  'aborted by client',
  'superseded by a new request',
  'given up for a newer request',
  'the edge stops',
]);

/** Of a file that was sent by TFTP, or undefined where its ending is no news of the boot. */
export function tftpNews(file: string, ending: string): TransferNews | undefined {
  if (NO_NEWS.has(ending)) return undefined;
  const detail = `${file} by TFTP: ${ending}`;
  return ending.startsWith('complete') ? { detail } : { detail, cause: 'firmware_broken_off' };
}

/** Of a kernel, an initramfs or a root that was sent by HTTP. */
export function artefactNews({
  bytes,
  complete,
}: {
  readonly bytes: number;
  readonly complete: boolean;
}): TransferNews {
  if (complete) return { detail: `fetched, ${bytes} bytes` };
  return { detail: `broke off after ${bytes} bytes`, cause: 'kernel_broken_off' };
}

/** Of a file of a release that was asked for in vain: on its way here, spoilt on it, or none of a release served here. */
export function absentNews(file: string, lack: 'coming' | 'corrupt' | 'unknown'): TransferNews {
  const name = file.slice(0, 200);
  switch (lack) {
    case 'coming':
      return { detail: `${name}: this edge does not have all of it yet`, cause: 'release_not_ready' };
    case 'corrupt':
      return { detail: `${name} came with a wrong SHA-256: not served`, cause: 'artefact_corrupt' };
    case 'unknown':
      return { detail: `${name}: no release that is served here has it`, cause: 'artefact_missing' };
  }
}

/** What a file is most likely for that no release here has. */
export function roleByName(file: string): BootRole {
  if (/^(?:vm)?linu[xz]|^kernel/i.test(file)) return 'kernel';
  return /^initr/i.test(file) ? 'initramfs' : 'root';
}

/** Of a file that the rules of the map file refuse. */
export function refusedNews(file: string, why: 'refused' | 'circle'): TransferNews {
  const reason = why === 'refused' ? 'refused by the map file' : 'the rules of the map file turn in a circle';
  return { detail: `${file.slice(0, 200)} by TFTP: ${reason}`, cause: 'file_refused' };
}

/** Of a file that somebody asked for and this edge has not. */
export function missingNews(file: string, protocol: 'TFTP' | 'HTTP'): TransferNews {
  return { detail: `${file.slice(0, 200)} by ${protocol}: there is no such file`, cause: 'firmware_missing' };
}

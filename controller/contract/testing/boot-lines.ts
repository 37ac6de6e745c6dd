import type { BootTrace } from '../boot-trace.ts';
import type { BootStage, EdgeRecord } from '../journal.ts';

const START = Date.UTC(2026, 2, 2, 8, 0, 0);
export const instant = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

type Said = Partial<Omit<EdgeRecord, 'at' | 'seq' | 'stage'>>;
/** Seconds, stage, and what else the record says. */
export type Line = readonly [seconds: number, stage: BootStage, said?: Said];

export const address = '10.66.1.100';
export const firmware = { address, next: 'firmware' } as const;
export const script = { address, next: 'script' } as const;
export const plain = { address, next: 'nothing' } as const;
export const toLive = { address, next: 'kernel' } as const;

export const romLease: readonly Line[] = [
  [0, 'offer', firmware],
  [1, 'lease', firmware],
];
export const ipxe: readonly Line[] = [
  ...romLease,
  [3, 'firmware', { address, detail: 'undionly.kpxe by TFTP' }],
];
export const withScriptLease: readonly Line[] = [...ipxe, [6, 'offer', script], [7, 'lease', script]];
export const withScript: readonly Line[] = [...withScriptLease, [8, 'script', toLive]];
/** As GRUB and PXELINUX fetch it: planned, and then sent. */
export const withTftpScript: readonly Line[] = [
  ...ipxe,
  [4, 'script', toLive],
  [5, 'script', { address, detail: 'grub/grub.cfg by TFTP: complete' }],
];
export const withKernel: readonly Line[] = [...withScript, [12, 'kernel', { address }]];
export const loaded: readonly Line[] = [...withKernel, [20, 'initramfs', { address }]];
export const liveLease: readonly Line[] = [...loaded, [50, 'offer', plain], [51, 'lease', plain]];
export const booted: readonly Line[] = [...liveLease, [90, 'root', { address }]];

export function recordsOf(lines: readonly Line[]): EdgeRecord[] {
  return lines.map(([seconds, stage, said], index) => ({
    seq: index + 1,
    at: instant(seconds),
    edge: 'edge1',
    mac: '52:54:00:00:00:01',
    stage,
    detail: `${stage} ${index + 1}`,
    ...said,
  }));
}

/** In words: `stopped at kernel: kernel_not_fetched`, or the outcome and what it waits for. */
export function gist({ outcome, verdict, stages }: BootTrace): string {
  if (verdict) return `${outcome} at ${verdict.stoppedAt}: ${verdict.cause}`;
  const waiting = stages.find(({ state }) => state === 'waiting');
  return waiting ? `${outcome}, waiting for ${waiting.stage}` : outcome;
}

/** What the journal holds of a machine, and what is told of it. */
export interface BootCase {
  readonly name: string;
  readonly lines: readonly Line[];
  /** Seconds. */
  readonly now: number;
  readonly gist: string;
}

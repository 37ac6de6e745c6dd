export type BuildStage = 'packages' | 'configure' | 'squashfs' | 'contents' | 'media' | 'hash';

export interface BuildProgress {
  readonly stage: BuildStage;
  /** In words of the tool at work. */
  readonly message?: string;
  /** Of this stage, 0 to 1. */
  readonly fraction?: number;
}

/** How far each line of mmdebstrap is into its run: the mean of two builds of minimal.yaml, 29 and 33 s. */
const PACKAGE_MILESTONES: readonly (readonly [prefix: string, fraction: number])[] = [
  ['running apt-get update', 0.01],
  ['downloading packages', 0.08],
  ['extracting archives', 0.1],
  ['installing essential packages', 0.28],
  ['installing remaining packages', 0.59],
];

/** What a line of mmdebstrap, configure.sh or mksquashfs says about progress; undefined for any other line. */
export function progressOf(line: string): BuildProgress | undefined {
  const configuring = /^bootswarm: (.*)$/.exec(line)?.[1];
  if (configuring !== undefined) return { stage: 'configure', message: configuring };

  const installing = /^I: (.*)$/.exec(line)?.[1];
  const milestone = PACKAGE_MILESTONES.find(([prefix]) => installing?.startsWith(prefix));
  if (installing !== undefined && milestone !== undefined) {
    return { stage: 'packages', message: installing.replace(/\.*$/, ''), fraction: milestone[1] };
  }

  const packed = /^\[.*\]\s+(\d+)\/(\d+)\s+\d+%$/.exec(line.trim());
  if (packed !== null) return { stage: 'squashfs', fraction: Number(packed[1]) / Number(packed[2]) };
  return undefined;
}

import { Segment } from '@bootswarm/controller/contract';
import { type Artefact, type ArtefactRole, digestOf, type Manifest } from '@bootswarm/images/format';

/** Bytes that differ from place to place, so that none can be swapped unnoticed. */
export function sampleBytes(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * seed) % 251);
}

export async function* chunked(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function artefactOfBytes(role: ArtefactRole, bytes: Uint8Array): Promise<Artefact> {
  const { pieces, ...digest } = await digestOf(chunked(bytes));
  return { role, name: role, ...digest, pieces: [...pieces] };
}

export interface SampleRelease {
  readonly manifest: Manifest;
  readonly contents: readonly Uint8Array[];
}

/** A release of three small artefacts. */
export async function sampleRelease(version = '1.0'): Promise<SampleRelease> {
  const contents = [sampleBytes(5000, 2), sampleBytes(7000, 3), sampleBytes(30_000, 4)];
  const roles = ['kernel', 'initramfs', 'root'] as const;
  const artefacts = await Promise.all(
    roles.map((role, index) => artefactOfBytes(role, contents[index] ?? new Uint8Array())),
  );
  const manifest: Manifest = {
    format: 1,
    name: 'minimal',
    version,
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: ['console=ttyS0'],
    artefacts,
  };
  return { manifest, contents };
}

/** `10.1.N.0/24` with a pool from 100 to 199, served by `edge`. */
export function sampleSegment(n: number, edge: string, changes: Partial<Segment> = {}): Segment {
  return Segment.parse({
    name: `seg${n}`,
    subnet: `10.1.${n}.0/24`,
    pools: [{ first: `10.1.${n}.100`, last: `10.1.${n}.199` }],
    edges: [edge],
    ...changes,
  });
}

import assert from 'node:assert/strict';
import type { Manifest } from '@bootswarm/images/format';

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of a manifest's many facts changed, as chance will have it; it is still a manifest. */
export function spoilt(manifest: Manifest, chance: () => number): Manifest {
  const changed = structuredClone(manifest);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)] ?? assert.fail();
  const artefact = pick(changed.artefacts);
  const digit = (hex: string): string => {
    const at = Math.floor(chance() * hex.length);
    return hex.slice(0, at) + (hex[at] === 'a' ? 'b' : 'a') + hex.slice(at + 1);
  };
  pick([
    () => {
      artefact.sha256 = digit(artefact.sha256);
    },
    () => {
      const index = Math.floor(chance() * artefact.pieces.length);
      artefact.pieces[index] = digit(artefact.pieces[index] ?? '');
    },
    () => {
      artefact.length -= 1;
    },
    () => {
      artefact.name = `${artefact.name}x`;
    },
    () => {
      changed.kernelArguments.push('init=/bin/sh');
    },
    () => {
      changed.kernelArguments.pop();
    },
    () => {
      changed.bootStyle = 'casper';
    },
    () => {
      changed.version = `${changed.version}.1`;
    },
  ])();
  return changed;
}

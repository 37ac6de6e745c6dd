import assert from 'node:assert/strict';
import type { Manifest } from '@bootswarm/images/format';

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

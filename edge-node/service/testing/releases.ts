import { type Artefact, type ArtefactRole, digestOf, type Manifest } from '@bootswarm/images/format';

const PIECE_BYTES = 16 * 1024;

export interface ReleaseWithBytes {
  readonly manifest: Manifest;
  /** By SHA-256. */
  readonly bytesOf: ReadonlyMap<string, Uint8Array>;
}

/** A release whose files are filled with something of their own. */
export async function releaseOf(name: string): Promise<ReleaseWithBytes> {
  const artefacts: Artefact[] = [];
  const bytesOf = new Map<string, Uint8Array>();
  for (const [index, role] of (['kernel', 'initramfs', 'root'] as const satisfies ArtefactRole[]).entries()) {
    const bytes = Uint8Array.from(
      { length: 40_000 + index },
      (_, at) => (at * 7 + index + name.length) % 251,
    );
    bytes.set(Buffer.from(`${name} ${role}`));
    const { sha256, pieces } = await digestOf(ReadableStream.from([bytes]), () => {}, PIECE_BYTES);
    bytesOf.set(sha256, bytes);
    artefacts.push({
      role,
      name: `${role}.bin`,
      length: bytes.length,
      sha256,
      pieceBytes: PIECE_BYTES,
      pieces: [...pieces],
    });
  }
  const manifest: Manifest = {
    format: 1,
    name,
    version: '1',
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: ['boot=live'],
    artefacts,
  };
  return { manifest, bytesOf };
}

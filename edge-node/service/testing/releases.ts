import { createHash } from 'node:crypto';
import {
  type Artefact,
  type ArtefactRole,
  digestOf,
  type Manifest,
  makeChunkIndex,
} from '@bootswarm/images/format';

const PIECE_BYTES = 16 * 1024;

export interface ReleaseWithBytes {
  readonly manifest: Manifest;
  /** By SHA-256. */
  readonly bytesOf: ReadonlyMap<string, Uint8Array>;
}

/** A release whose files are filled with something of their own. */
export function releaseOf(name: string): Promise<ReleaseWithBytes> {
  const roles = ['kernel', 'initramfs', 'root'] as const;
  return packed(
    name,
    roles.map((role, index) => {
      const bytes = Uint8Array.from(
        { length: 40_000 + index },
        (_, at) => (at * 7 + index + name.length) % 251,
      );
      bytes.set(Buffer.from(`${name} ${role}`));
      return [role, bytes];
    }),
  );
}

/** Looks like chance and is the same every time. */
const MOST_OF_A_ROOT = Buffer.concat(
  Array.from({ length: 10_000 }, (_, at) => createHash('sha256').update(String(at)).digest()),
);

/** A release with a chunk index, whose root is all but the same as that of others. */
export async function chunkedReleaseOf(name: string): Promise<ReleaseWithBytes> {
  const root = Buffer.concat([Buffer.from(name), MOST_OF_A_ROOT, Buffer.from(name)]);
  const chunks = (await makeChunkIndex(ReadableStream.from([root]))) ?? new Uint8Array();
  return packed(name, [
    ['kernel', Buffer.from(`${name} kernel`)],
    ['initramfs', Buffer.from(`${name} initramfs`)],
    ['root', root],
    ['chunks', chunks],
  ]);
}

async function packed(
  name: string,
  files: readonly (readonly [ArtefactRole, Uint8Array])[],
): Promise<ReleaseWithBytes> {
  const artefacts: Artefact[] = [];
  const bytesOf = new Map<string, Uint8Array>();
  for (const [role, bytes] of files) {
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

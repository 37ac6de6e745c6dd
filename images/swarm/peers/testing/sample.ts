import { createHash, randomFillSync } from 'node:crypto';
import { type Artefact, digestOf } from '@bootswarm/images/format';
import { SwarmNode } from '../node.ts';

export interface Sample {
  readonly artefact: Artefact;
  readonly bytes: Buffer;
  /** Any 40 digits do: peers only have to agree. */
  readonly infohash: string;
}

/** Random bytes as an artefact. */
export async function makeSample(length: number, pieceBytes = 256 * 1024): Promise<Sample> {
  const bytes = randomFillSync(Buffer.allocUnsafe(length));
  const digest = await digestOf(
    (async function* () {
      yield bytes;
    })(),
    () => {},
    pieceBytes,
  );
  const { sha256, pieces } = digest;
  return {
    artefact: { role: 'root', name: 'root.squashfs', length, sha256, pieceBytes, pieces: [...pieces] },
    bytes,
    infohash: createHash('sha1').update(sha256).digest('hex'),
  };
}

/** A node on an address of its own: bans are by address. `127.0.0.0/8` is all this host. */
export function listenAt(
  lastByte: number,
  overrides: { mostConnectionsPerAddress?: number } = {},
): Promise<SwarmNode> {
  return SwarmNode.listen({
    host: `127.0.7.${lastByte}`,
    isAllowed: (address) => address.startsWith('127.0.7.'),
    ...overrides,
  });
}

import {
  Metadata,
  MetadataKind,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from '@tufjs/models';
import { MOST_BYTES, MOST_TARGETS } from './limits.ts';
import { problem } from './problems.ts';

export type Role = 'root' | 'targets' | 'snapshot' | 'timestamp';

interface SignedByRole {
  readonly root: Root;
  readonly targets: Targets;
  readonly snapshot: Snapshot;
  readonly timestamp: Timestamp;
}

export const ROLES: readonly Role[] = ['root', 'targets', 'snapshot', 'timestamp'];

/**
 * Metadata of a role from its text; nothing is verified.
 * @throws Problem metadata_unreadable, too_many_targets
 */
export function readMetadata<R extends Role>(role: R, text: string): Metadata<SignedByRole[R]> {
  const unreadable = (reason: string, cause?: unknown) =>
    problem('metadata_unreadable', { facts: { role, reason }, cause });
  if (Buffer.byteLength(text) > MOST_BYTES[role])
    throw unreadable(`it is longer than ${MOST_BYTES[role]} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw unreadable('it is no JSON', error);
  }
  requireBounded(role, json);
  try {
    return parse(role, json as JsonObject) as Metadata<SignedByRole[R]>;
  } catch (error) {
    throw unreadable((error as Error).message, error);
  }
}

type JsonObject = Parameters<typeof Metadata.fromJSON>[1];

/** Entries of the maps that @tufjs/models copies whole for each entry. No role of ours needs more. */
const MOST_ENTRIES = { targets: MOST_TARGETS, meta: 16, keys: 64, roles: 16 } as const;

/**
 * Looked at before @tufjs/models reads it, as that is before any signature is verified: what it spends grows with
 * the square of the entries.
 * @throws Problem metadata_unreadable, too_many_targets
 */
export function requireBounded(role: Role, json: unknown): void {
  const signed = (json as { readonly signed?: Readonly<Record<string, object>> } | null)?.signed ?? {};
  for (const [map, most] of Object.entries(MOST_ENTRIES)) {
    const count = Object.keys(signed[map] ?? {}).length;
    if (count <= most) continue;
    if (map === 'targets') throw problem('too_many_targets', { facts: { count, most } });
    throw problem('metadata_unreadable', {
      facts: { role, reason: `${map} has ${count} entries; ${most} is the most` },
    });
  }
  if (signed['delegations'] !== undefined)
    throw problem('metadata_unreadable', { facts: { role, reason: 'it delegates, which is not supported' } });
}

function parse(role: Role, json: JsonObject): Metadata<SignedByRole[Role]> {
  switch (role) {
    case 'root':
      return Metadata.fromJSON(MetadataKind.Root, json);
    case 'targets':
      return Metadata.fromJSON(MetadataKind.Targets, json);
    case 'snapshot':
      return Metadata.fromJSON(MetadataKind.Snapshot, json);
    case 'timestamp':
      return Metadata.fromJSON(MetadataKind.Timestamp, json);
  }
}

/** Version and expiry of metadata that was verified, and so has the shape. */
export function outlineOf(text: string): { readonly version: number; readonly expires: string } {
  const { signed } = JSON.parse(text) as {
    readonly signed: { readonly version: number; readonly expires: string };
  };
  return { version: signed.version, expires: signed.expires };
}

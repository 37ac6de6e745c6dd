import { type SigningKey, sha256Of } from '@bootswarm/images/format';
import { Metadata, MetaFile, Snapshot, Timestamp } from '@tufjs/models';
import { signerOf } from './keys.ts';
import { SPEC_VERSION, VALID_MS } from './limits.ts';
import { outlineOf } from './metadata.ts';

/** What the controller signs by itself, so that clients know which version of everything belongs together. */

/** The next snapshot: it names the targets metadata by version, length and SHA-256. */
export function makeSnapshot(
  current: string | undefined,
  targets: string,
  key: SigningKey,
  now: Date = new Date(),
): string {
  const signed = new Snapshot({
    specVersion: SPEC_VERSION,
    version: versionAfter(current),
    expires: after(now, VALID_MS.snapshot),
    meta: { 'targets.json': metaOf(targets) },
  });
  return signedBy(new Metadata(signed), key);
}

/** The next timestamp: it names the snapshot the same way. */
export function makeTimestamp(
  current: string | undefined,
  snapshot: string,
  key: SigningKey,
  now: Date = new Date(),
): string {
  const signed = new Timestamp({
    specVersion: SPEC_VERSION,
    version: versionAfter(current),
    expires: after(now, VALID_MS.timestamp),
    snapshotMeta: metaOf(snapshot),
  });
  return signedBy(new Metadata(signed), key);
}

/** Whether metadata has used up half of its time, and is to be signed anew. */
export function isDue(role: 'snapshot' | 'timestamp', text: string, now: Date): boolean {
  return new Date(outlineOf(text).expires).getTime() - now.getTime() < VALID_MS[role] / 2;
}

function metaOf(text: string): MetaFile {
  return new MetaFile({
    version: outlineOf(text).version,
    length: Buffer.byteLength(text),
    hashes: { sha256: sha256Of(text) },
  });
}

function versionAfter(current: string | undefined): number {
  return current === undefined ? 1 : outlineOf(current).version + 1;
}

function after(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}

function signedBy(metadata: Metadata<Snapshot> | Metadata<Timestamp>, key: SigningKey): string {
  metadata.sign(signerOf(key), false);
  return JSON.stringify(metadata.toJSON());
}

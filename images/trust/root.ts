import type { SigningKey } from '@bootswarm/images/format';
import { type Key, Metadata, Root, type Signature } from '@tufjs/models';
import { keyId, signerOf, tufKey } from './keys.ts';
import { SPEC_VERSION, VALID_MS } from './limits.ts';
import { ROLES, type Role, readMetadata } from './metadata.ts';
import { problem } from './problems.ts';

/** base64 SPKI public keys, by role. Each role is signed by any one of its keys. */
export type RoleKeys = Readonly<Record<Role, readonly string[]>>;

/**
 * The next root, signed by whoever is given: by a root key of `current` and by one of the new, which may be the same.
 * @param current the root that holds now; undefined makes the first.
 */
export function makeRoot(
  current: string | undefined,
  keys: RoleKeys,
  signers: readonly SigningKey[],
  now: Date = new Date(),
): string {
  const version = current === undefined ? 1 : readMetadata('root', current).signed.version + 1;
  const expires = new Date(now.getTime() + VALID_MS.root).toISOString();
  const root = new Root({ specVersion: SPEC_VERSION, version, expires, consistentSnapshot: true });
  for (const role of ROLES) for (const key of keys[role]) root.addKey(tufKey(key), role);
  const next = new Metadata(root);
  for (const signer of signers) next.sign(signerOf(signer));
  return JSON.stringify(next.toJSON());
}

/** Whom a root trusts, by role: ids of keys. @throws Problem metadata_unreadable */
export function keyIdsOf(root: string): Readonly<Record<Role, readonly string[]>> {
  const { roles } = readMetadata('root', root).signed;
  const idsOf = (role: Role): readonly string[] => roles[role]?.keyIDs ?? [];
  return {
    root: idsOf('root'),
    targets: idsOf('targets'),
    snapshot: idsOf('snapshot'),
    timestamp: idsOf('timestamp'),
  };
}

/** The public keys that a root names, by role, in base64 SPKI. @throws Problem metadata_unreadable */
export function keysOf(root: string): RoleKeys {
  const { keys } = readMetadata('root', root).signed;
  const ids = keyIdsOf(root);
  const publicOf = (role: Role): readonly string[] => ids[role].flatMap((id) => spkiOf(keys[id]) ?? []);
  return {
    root: publicOf('root'),
    targets: publicOf('targets'),
    snapshot: publicOf('snapshot'),
    timestamp: publicOf('timestamp'),
  };
}

/** DER before an Ed25519 public key: RFC 8410, section 4. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function spkiOf(key: Key | undefined): string | undefined {
  const hex = key?.keyVal['public'];
  return hex === undefined
    ? undefined
    : Buffer.concat([SPKI_PREFIX, Buffer.from(hex, 'hex')]).toString('base64');
}

/** Whether `root` lets the holder of a key sign for a role. */
export function maySign(root: string, role: Role, publicKey: string): boolean {
  return keyIdsOf(root)[role].includes(keyId(publicKey));
}

/**
 * Holds a root against the one before: signed by the keys of both, one version on, with every role in hands.
 * The first is signed by itself.
 * @throws Problem metadata_unreadable, metadata_unsigned, metadata_version, metadata_expired
 */
export function checkRoot(current: string | undefined, offered: string, now: Date = new Date()): void {
  const next = readMetadata('root', offered);
  const { version, expires, roles, keys } = next.signed;
  const wanted = current === undefined ? 1 : readMetadata('root', current).signed.version + 1;
  if (current !== undefined) verifyBy(current, 'root', next);
  verifyBy(offered, 'root', next);
  if (version !== wanted) throw problem('metadata_version', { facts: { role: 'root', version, wanted } });
  if (new Date(expires) <= now) throw problem('metadata_expired', { facts: { role: 'root', expires } });
  for (const role of ROLES)
    if (!roles[role]?.keyIDs.some((id) => keys[id]?.keyType === 'ed25519'))
      throw problem('metadata_unreadable', {
        facts: { role: 'root', reason: `it names no key for ${role}` },
      });
}

/** @throws Problem metadata_unsigned where fewer than the threshold of `root`'s keys for `role` signed. */
export function verifyBy(
  root: string,
  role: Role,
  metadata: Parameters<Metadata<Root>['verifyDelegate']>[1],
): void {
  try {
    readMetadata('root', root).verifyDelegate(role, metadata);
  } catch (error) {
    throw problem('metadata_unsigned', { facts: { role, reason: (error as Error).message }, cause: error });
  }
}

/** Ids of the keys that signed metadata, whether they may or not. */
export function signersOf(role: Role, text: string): readonly string[] {
  return Object.values<Signature>(readMetadata(role, text).signatures).map(({ keyID }) => keyID);
}

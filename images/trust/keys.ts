import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { canonicalJson, type SigningKey, sha256Of } from '@bootswarm/images/format';
import { Key, type Metadata, Signature } from '@tufjs/models';

/** Bytes of the DER that stand before the 32 of an Ed25519 public key (RFC 8410, section 4). */
const SPKI_PREFIX_BYTES = 12;

/** A public key as metadata names it; its id is the SHA-256 of its canonical form (TUF 1.0.31, section 4.2.1). */
export function tufKey(publicKey: string): Key {
  const hex = Buffer.from(publicKey, 'base64').subarray(SPKI_PREFIX_BYTES).toString('hex');
  const body = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: hex } };
  return new Key({
    keyID: sha256Of(canonicalJson(body)),
    keyType: body.keytype,
    scheme: body.scheme,
    keyVal: body.keyval,
  });
}

/** Id by which metadata names a key: 64 hexadecimal digits. */
export function keyId(publicKey: string): string {
  return tufKey(publicKey).keyID;
}

/** The public half, in base64 SPKI. @throws where it is no private key in base64 PKCS#8. */
export function publicKeyOf(privateKey: string): string {
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}

/** What `Metadata.sign` wants. */
export function signerOf({ privateKey, publicKey }: SigningKey): Parameters<Metadata<never>['sign']>[0] {
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  return (bytes) => new Signature({ keyID: keyId(publicKey), sig: sign(null, bytes, key).toString('hex') });
}

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { z } from 'zod';

/** A JSON text and its Ed25519 signature. What is signed is the text, so that no re-encoding can matter. */
export const Signed = z.strictObject({
  payload: z.string(),
  /** base64 of 64 bytes. */
  signature: z.string(),
});
export type Signed = z.infer<typeof Signed>;

export interface SigningKey {
  /** base64 of the DER (PKCS#8) private key: keep it secret. */
  readonly privateKey: string;
  /** base64 of the DER (SPKI) public key. */
  readonly publicKey: string;
}

export function makeSigningKey(): SigningKey {
  const pair = generateKeyPairSync('ed25519');
  return {
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

/** The private part of a `SigningKey`, for who signs often: reading it takes as long as signing. */
export function readSigningKey(privateKey: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
}

export function signText(payload: string, privateKey: string | KeyObject): Signed {
  const key = typeof privateKey === 'string' ? readSigningKey(privateKey) : privateKey;
  return { payload, signature: sign(null, Buffer.from(payload), key).toString('base64') };
}

/** Whether `signed` was signed by the holder of `publicKey`. A malformed key or signature is a no. */
export function verifySigned(signed: Signed, publicKey: string): boolean {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  } catch {
    return false;
  }
  return verify(null, Buffer.from(signed.payload), key, Buffer.from(signed.signature, 'base64'));
}

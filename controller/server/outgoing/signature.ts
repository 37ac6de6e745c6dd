import { createHmac } from 'node:crypto';

/**
 * Headers of Standard Webhooks (standardwebhooks.com, 1.0): who has the secret can tell that this body is ours, and
 * from when. HMAC-SHA256 over id, seconds since 1970 and body.
 * @param secret `whsec_` and base64; any other text is the key as it stands.
 */
export function signedHeaders(
  secret: string,
  id: string,
  now: Date,
  body: string,
): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(now.getTime() / 1000));
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
}

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const hash = promisify(scrypt) as (password: string, salt: Buffer, keyBytes: number) => Promise<Buffer>;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** As a menu keeps it: `scrypt:SALT:HASH`, both in base64 (RFC 7914 with Node's parameters: N 16384, r 8, p 1). */
export async function hashMenuPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await hash(password, salt, KEY_BYTES);
  return `scrypt:${salt.toString('base64')}:${key.toString('base64')}`;
}

/** Takes some 50 ms of another thread, on purpose: so many guesses a second are possible. */
export async function isMenuPassword(password: string, kept: string): Promise<boolean> {
  const [scheme, salt = '', key = ''] = kept.split(':');
  const expected = Buffer.from(key, 'base64');
  if (scheme !== 'scrypt' || expected.length !== KEY_BYTES) return false;
  return timingSafeEqual(await hash(password, Buffer.from(salt, 'base64'), KEY_BYTES), expected);
}

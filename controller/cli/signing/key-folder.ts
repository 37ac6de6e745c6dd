import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import { maySign, publicKeyOf } from '@bootswarm/images/trust';
import { Option } from 'commander';
import { z } from 'zod';
import { problem } from '../problems.ts';

/** The roles whose keys are the operator's. */
export type OperatorRole = 'root' | 'targets';

/** What was last seen of the controller's metadata, against which its next answer is held. */
const Known = z.strictObject({ root: z.string(), targetsVersion: z.int().min(0) });
export type Known = z.infer<typeof Known>;

export interface KeyOptions {
  readonly keys?: string;
  readonly rootKey?: string;
}

/** For every command that signs. */
export function keysOption(): Option {
  return new Option(
    '--keys <folder>',
    'where your keys lie (default: BOOTSWARM_KEYS, or ~/.config/bootswarm/keys)',
  );
}

export function rootKeyOption(): Option {
  return new Option(
    '--root-key <file>',
    'your root key, where it is kept elsewhere (default: BOOTSWARM_ROOT_KEY, or root.pem in --keys)',
  );
}

/** The operator's keys, as PEM files that their owner alone may read, and what they have signed for. */
export class KeyFolder {
  readonly path: string;
  readonly #files: Readonly<Record<OperatorRole, string>>;

  /** BOOTSWARM_KEYS, or beside the credentials (XDG Base Directory Specification). */
  constructor(
    { keys, rootKey }: KeyOptions,
    env: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    const config = env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
    this.path = keys ?? env['BOOTSWARM_KEYS'] ?? join(config, 'bootswarm', 'keys');
    this.#files = {
      root: rootKey ?? env['BOOTSWARM_ROOT_KEY'] ?? join(this.path, 'root.pem'),
      targets: join(this.path, 'targets.pem'),
    };
  }

  fileOf(role: OperatorRole): string {
    return this.#files[role];
  }

  has(role: OperatorRole): boolean {
    return existsSync(this.#files[role]);
  }

  /** @throws Problem key_missing, key_unreadable */
  key(role: OperatorRole): SigningKey {
    return readKey(this.#files[role], role);
  }

  /** The key of a role, made where there is none: it is never overwritten. */
  ensureKey(role: OperatorRole): SigningKey {
    if (!this.has(role)) writeKey(this.#files[role], makeSigningKey());
    return this.key(role);
  }

  /**
   * A key that is to follow. It lies beside the one of now until `settle` sees it in a root: whatever breaks off in
   * between, the key that counts is there.
   */
  makeNextKey(role: OperatorRole): SigningKey {
    const next = makeSigningKey();
    writeKey(nextOf(this.#files[role]), next);
    return next;
  }

  /** Puts keys that were made to follow in their place, once a root names them. */
  settle(root: string): void {
    for (const role of ['root', 'targets'] as const) {
      const next = nextOf(this.#files[role]);
      if (existsSync(next) && maySign(root, role, readKey(next, role).publicKey))
        renameSync(next, this.#files[role]);
    }
  }

  known(): Known | undefined {
    const file = this.#knownFile;
    if (!existsSync(file)) return undefined;
    const parsed = Known.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    throw problem('trust_not_known', { facts: { folder: this.path }, cause: parsed.error });
  }

  keepKnown(known: Known): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    // Several commands may be at work at once.
    const passing = `${this.#knownFile}.${process.pid}`;
    writeFileSync(passing, JSON.stringify(known), { mode: 0o600, flush: true });
    renameSync(passing, this.#knownFile);
  }

  get #knownFile(): string {
    return join(this.path, 'known.json');
  }
}

function nextOf(file: string): string {
  return `${file}.next`;
}

function readKey(file: string, role: OperatorRole): SigningKey {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw problem('key_missing', { facts: { role, file }, cause: error });
  }
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError(`it is of type ${key.asymmetricKeyType}`);
    const privateKey = key.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    return { privateKey, publicKey: publicKeyOf(privateKey) };
  } catch (error) {
    throw problem('key_unreadable', { facts: { file, reason: (error as Error).message }, cause: error });
  }
}

/** One that is written first appears under its name whole. */
function writeKey(file: string, { privateKey }: SigningKey): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  const passing = `${file}.${process.pid}`;
  writeFileSync(passing, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true });
  renameSync(passing, file);
}

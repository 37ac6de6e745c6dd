import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { type Machine, problem, type SecretInfo } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';

const PREFIX = 'secrets/';
const KEY_BYTES = 32;
/** NIST SP 800-38D, 8.2.2: random ones of 96 bits, for far fewer than 2^32 messages under a key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** All in base64. */
interface Sealed {
  readonly nonce: string;
  readonly sealed: string;
  readonly tag: string;
  readonly setAt: string;
}

interface Parts {
  readonly store: StateStore;
  /** Made with the first secret, for its owner alone. It is not in the store: a copy of the state opens nothing. */
  readonly keyFile: string;
  readonly machines: () => Promise<readonly Pick<Machine, 'id' | 'bmc'>[]>;
}

/** Passwords of BMCs, under AES-256-GCM. The name of each is sealed with it, so that none stands for another. */
export class Secrets {
  readonly #store: StateStore;
  readonly #keyFile: string;
  readonly #machines: Parts['machines'];

  constructor({ store, keyFile, machines }: Parts) {
    this.#store = store;
    this.#keyFile = keyFile;
    this.#machines = machines;
  }

  async list(): Promise<SecretInfo[]> {
    const machines = await this.#machines();
    return (await this.#store.list(PREFIX)).map(({ key, value }) =>
      infoOf(key.slice(PREFIX.length), value as Sealed, machines),
    );
  }

  async set(name: string, value: string, now: Date): Promise<SecretInfo> {
    const key = await this.#ensureKey();
    if (key.length !== KEY_BYTES)
      throw problem('secret_unreadable', { facts: { secret: name, file: this.#keyFile } });
    const kept = seal(key, name, value, now);
    await transact(this.#store, `secret ${name}`, async (reads) => {
      await reads.get(PREFIX + name);
      return { put: { [PREFIX + name]: kept }, result: undefined };
    });
    return infoOf(name, kept, await this.#machines());
  }

  /** @throws Problem not_found, secret_in_use */
  remove(name: string): Promise<void> {
    return transact(this.#store, `secret ${name}`, async (reads): Promise<Plan<void>> => {
      if (!(await reads.get(PREFIX + name))) throw problem('not_found', { facts: { kind: 'secret', name } });
      // Whoever begins to name it writes it again (`hold`): of the two at once, one looks anew.
      const user = (await this.#machines()).find((machine) => secretOf(machine) === name);
      if (user) throw problem('secret_in_use', { facts: { secret: name, machine: user.id } });
      return { remove: [PREFIX + name], result: undefined };
    });
  }

  /** What is to be put by a commit that begins to name it. @throws Problem secret_unknown */
  async hold(name: string, reads: Reads): Promise<Readonly<Record<string, unknown>>> {
    const entry = await reads.get(PREFIX + name);
    if (!entry) throw problem('secret_unknown', { field: 'secret', facts: { secret: name } });
    return { [PREFIX + name]: entry.value };
  }

  /** For drivers alone. @throws Problem secret_unknown, secret_unreadable */
  async reveal(name: string): Promise<string> {
    const entry = await this.#store.get(PREFIX + name);
    if (!entry) throw problem('secret_unknown', { field: 'secret', facts: { secret: name } });
    try {
      return unseal(await readFile(this.#keyFile), name, entry.value as Sealed);
    } catch (error) {
      const facts = { secret: name, file: this.#keyFile };
      throw problem('secret_unreadable', { field: 'secret', facts, cause: error });
    }
  }

  /** Whole and on the disk before it has its name, so that no secret is ever sealed with a key that is lost. */
  async #ensureKey(): Promise<Buffer> {
    const held = await readFile(this.#keyFile).catch(unlessMissing);
    if (held) return held;
    const temporary = `${this.#keyFile}.${randomBytes(6).toString('hex')}`;
    const file = await open(temporary, 'wx', 0o600);
    await file.write(randomBytes(KEY_BYTES));
    await file.sync();
    await file.close();
    // Of two at once, the first one's stays.
    await link(temporary, this.#keyFile).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await unlink(temporary);
    return readFile(this.#keyFile);
  }
}

function seal(key: Buffer, name: string, value: string, now: Date): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(
    Buffer.from(name),
  );
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  const text = (bytes: Buffer): string => bytes.toString('base64');
  return {
    nonce: text(nonce),
    sealed: text(sealed),
    tag: text(cipher.getAuthTag()),
    setAt: now.toISOString(),
  };
}

/** @throws where anything of it is not as it was sealed. */
function unseal(key: Buffer, name: string, { nonce, sealed, tag }: Sealed): string {
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes(nonce), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes(tag));
  return Buffer.concat([decipher.update(bytes(sealed)), decipher.final()]).toString();
}

function infoOf(
  name: string,
  { setAt }: Sealed,
  machines: readonly Pick<Machine, 'id' | 'bmc'>[],
): SecretInfo {
  return { name, setAt, usedBy: machines.filter((each) => secretOf(each) === name).map(({ id }) => id) };
}

function secretOf({ bmc }: Pick<Machine, 'bmc'>): string | undefined {
  return bmc?.secret;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

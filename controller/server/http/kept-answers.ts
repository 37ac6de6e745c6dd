import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { problem } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';

/** A call that its caller may send again under the same key. */
export interface Repeatable {
  /** The caller's Idempotency-Key. */
  readonly key: string;
  readonly token: string;
  /** All that was asked for, in JSON: under one key it is always the same. */
  readonly asked: string;
}

export interface AnswerBounds {
  readonly most: number;
  readonly hours: number;
  readonly answerMostBytes: number;
}

/** 80 MB at worst. A longer answer is that of a release, which may be published again and is the same. */
const BOUNDS: AnswerBounds = { most: 5000, hours: 24, answerMostBytes: 16 * 1024 };
const TIMES_PREFIX = 'kept-answer-times/';
const HOUR_MS = 3600 * 1000;
const REMOVED_AT_ONCE = 500;

interface Kept {
  readonly at: string;
  /** Of what was asked for, and only to be made with the caller's token. */
  readonly digest: string;
  /** Nonce, answer and tag in base64: an answer may hold a token, and of those nobody who reads the store may have one. */
  readonly sealed: string;
}

/**
 * Answers to calls that make things, by the key under which they were asked: who got none because the connection
 * broke asks again, and what it made is not made twice. What was refused made nothing and is not kept.
 */
export class KeptAnswers {
  readonly #store: StateStore;
  readonly #bounds: AnswerBounds;
  readonly #running = new Set<string>();

  constructor(store: StateStore, bounds: AnswerBounds = BOUNDS) {
    this.#store = store;
    this.#bounds = bounds;
  }

  /**
   * The kept answer, or that of `act`, which is kept once it is there: a controller that dies just before that does
   * not know the key afterwards.
   * @throws Problem idempotency_key_busy, idempotency_key_reused, and whatever `act` throws.
   */
  async once<T>(call: Repeatable, now: Date, act: () => Promise<T>): Promise<{ answer: T; isKept: boolean }> {
    const id = createHash('sha256')
      .update(JSON.stringify([call.token, call.key]))
      .digest('hex');
    if (this.#running.has(id)) throw problem('idempotency_key_busy', { field: 'idempotency-key' });
    this.#running.add(id);
    try {
      const secret = Buffer.from(hkdfSync('sha256', call.token, call.key, 'bootswarm kept answer', 32));
      const digest = createHmac('sha256', secret).update(call.asked).digest('base64');
      const held = (await this.#store.get(answerKey(id)))?.value as Kept | undefined;
      if (held && held.at >= this.#oldest(now)) {
        if (held.digest !== digest) throw problem('idempotency_key_reused', { field: 'idempotency-key' });
        return { answer: JSON.parse(unseal(secret, held.sealed)) as T, isKept: true };
      }
      const answer = await act();
      const text = JSON.stringify(answer);
      const kept: Kept = { at: now.toISOString(), digest, sealed: seal(secret, text) };
      if (Buffer.byteLength(text) <= this.#bounds.answerMostBytes) await this.#keep(id, kept, held);
      return { answer, isKept: false };
    } finally {
      this.#running.delete(id);
    }
  }

  /** Removes what is beyond the bounds, oldest first. @returns how many went. */
  async trim(now: Date): Promise<number> {
    const times = (await this.#store.list(TIMES_PREFIX)).map(({ key }) => key);
    const [tooMany, tooOld] = [times.length - this.#bounds.most, TIMES_PREFIX + this.#oldest(now)];
    const gone = times.filter((key, index) => index < tooMany || key < tooOld);
    for (let at = 0; at < gone.length; at += REMOVED_AT_ONCE) {
      const keys = gone.slice(at, at + REMOVED_AT_ONCE);
      await this.#store.commit({ remove: keys.flatMap((key) => [key, answerKey(key.split('/')[2] ?? '')]) });
    }
    return gone.length;
  }

  async #keep(id: string, kept: Kept, held: Kept | undefined): Promise<void> {
    const put = { [answerKey(id)]: kept, [timeKey(kept.at, id)]: true };
    try {
      await this.#store.commit({ put, ...(held ? { remove: [timeKey(held.at, id)] } : {}) });
    } catch {
      // The thing itself is made, and its caller is told so. Of a full disk the next change tells.
    }
  }

  #oldest(now: Date): string {
    return new Date(now.getTime() - this.#bounds.hours * HOUR_MS).toISOString();
  }
}

function answerKey(id: string): string {
  return `kept-answers/${id}`;
}

function timeKey(at: string, id: string): string {
  return `${TIMES_PREFIX}${at}/${id}`;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function seal(secret: Buffer, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES });
  const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString('base64');
}

function unseal(secret: Buffer, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([
    decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
    decipher.final(),
  ]).toString();
}

import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import type { Fetcher } from 'tuf-js/dist/fetcher.js';
import { MOST_BYTES } from './limits.ts';
import { type Role, requireBounded } from './metadata.ts';

/**
 * Where metadata comes from.
 * @param file such as `timestamp.json` or `3.root.json`.
 * @returns its bytes, or undefined where there is no such file.
 */
export type FetchMetadata = (
  file: string,
  signal: AbortSignal,
) => Promise<AsyncIterable<Uint8Array> | undefined>;

/** Only the last part of the address that the Updater asks for matters. */
export const BASE_URL = 'http://metadata.invalid/';

/** For one refresh: every file is fetched once, by us, and never more of it than its role may have. */
export class BoundedFetcher implements Fetcher {
  readonly #fetch: FetchMetadata;
  readonly #signal: AbortSignal;
  readonly #held = new Map<string, Buffer | undefined>();
  /** That it did not arrive, rather than that it was refused. */
  lost: Error | undefined;

  constructor(fetch: FetchMetadata, signal: AbortSignal) {
    this.#fetch = fetch;
    this.#signal = signal;
  }

  /** @returns undefined where there is no such file. @throws where it is too long, or did not arrive. */
  async read(file: string): Promise<Buffer | undefined> {
    if (this.#held.has(file)) return this.#held.get(file);
    const bytes = await this.#readBounded(file, MOST_BYTES[roleOf(file)]);
    if (bytes) requireBounded(roleOf(file), JSON.parse(bytes.toString()));
    this.#held.set(file, bytes);
    return bytes;
  }

  async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    const file = new URL(url).pathname.slice(1);
    const bytes = await this.read(file);
    if (!bytes) throw new DownloadHTTPError(`there is no ${file}`, 404);
    if (bytes.length > maxLength) throw new Error(`${file} is longer than ${maxLength} bytes`);
    return bytes;
  }

  /** The Updater fetches target files by it, which nobody asks it for. */
  downloadFile(): Promise<never> {
    return Promise.reject(new Error('no target files are fetched here'));
  }

  async #readBounded(file: string, mostBytes: number): Promise<Buffer | undefined> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      const source = await this.#fetch(file, this.#signal);
      if (!source) return undefined;
      for await (const chunk of source) {
        this.#signal.throwIfAborted();
        length += chunk.length;
        if (length > mostBytes) break;
        chunks.push(chunk);
      }
    } catch (error) {
      this.lost = error as Error;
      throw error;
    }
    if (length > mostBytes) throw new Error(`${file} is longer than ${mostBytes} bytes`);
    return Buffer.concat(chunks);
  }
}

function roleOf(file: string): Role {
  return (/(root|timestamp|snapshot|targets)\.json$/.exec(file)?.[1] ?? 'root') as Role;
}

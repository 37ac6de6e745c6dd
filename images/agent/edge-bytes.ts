import { connect, type Socket } from 'node:net';

export interface ByteRequest {
  /** Of the first byte that is wanted. */
  readonly start: number;
  /** Behind the last that is wanted; all of it where it is left out. */
  readonly end?: number;
  /** Of every chunk but the last; 16 KiB at least. All come in the same memory: who wants to keep one copies it. */
  readonly chunkBytes: number;
  readonly signal: AbortSignal;
  /** Ends the transfer where nothing comes for so long while it is waited for: a pulled cable says nothing either. */
  readonly silenceMs: number;
}

const HEAD_MOST_BYTES = 16 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Asks an edge for bytes over HTTP, many of them. Neither by `fetch` nor by `node:http`: the kernel writes them right where
 * they are hashed, in half of the time (images/decisions/0013).
 * @param url of `http:`, whose answer tells its length (RFC 9112, section 6.2).
 * @returns chunks; @throws Error where it is not answered by all that was asked for, or breaks off; the signal's reason.
 */
export async function getBytes(url: string, request: ByteRequest): Promise<AsyncIterable<Uint8Array>> {
  const transfer = new Transfer(new URL(url), request);
  try {
    await transfer.begin();
    return transfer.chunks();
  } catch (error) {
    transfer.close();
    request.signal.throwIfAborted();
    throw new Error(`${url}: ${(error as Error).message}`, { cause: error });
  }
}

/** What is waited for. */
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One answer, from its first line on. It is read while somebody waits, and not otherwise. */
class Transfer {
  readonly #socket: Socket;
  readonly #url: URL;
  readonly #request: ByteRequest;
  readonly #silence: NodeJS.Timeout;
  readonly #onAbort: () => void;
  #head: Buffer | undefined = Buffer.alloc(HEAD_MOST_BYTES);
  #headBytes = 0;
  /** Bytes of the content that were not handed on yet. */
  #left = 0;
  readonly #chunk: Buffer;
  /** Bytes of it that have come. */
  #filled = 0;
  #waiter: Waiter | undefined;
  #failure: Error | undefined;

  constructor(url: URL, request: ByteRequest) {
    const { signal, silenceMs } = request;
    this.#url = url;
    this.#request = request;
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(request.chunkBytes, HEAD_MOST_BYTES));
    this.#onAbort = () => this.#fail(signal.reason as Error);
    this.#silence = setTimeout(() => {
      if (this.#waiter) this.#fail(new Error(`nothing came for ${silenceMs / 1000} s`));
    }, silenceMs);
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port || 80),
      onread: { buffer: () => this.#room(), callback: (length) => this.#took(length) },
    });
    this.#socket
      .on('error', (error) => this.#fail(error))
      .on('close', () =>
        this.#fail(new Error(`it broke off, with ${this.#left - this.#filled} bytes to come`)),
      );
  }

  /** Resolves at the end of the answer's head. */
  async begin(): Promise<void> {
    const { protocol, host, pathname, search } = this.#url;
    if (protocol !== 'http:') throw new Error(`${protocol} is not what edges speak`);
    const { signal, start, end } = this.#request;
    signal.throwIfAborted();
    signal.addEventListener('abort', this.#onAbort, { once: true });
    // The last byte is part of a range: RFC 9110, section 14.1.2.
    const last = end === undefined ? '' : end - 1;
    const range = isWhole(this.#request) ? '' : `range: bytes=${start}-${last}\r\n`;
    this.#socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n${range}connection: close\r\n\r\n`,
    );
    await this.#wait();
  }

  async *chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      while (this.#left > 0) {
        if (!this.#isFull) await this.#wait();
        const bytes = this.#chunk.subarray(0, this.#left);
        yield bytes;
        this.#left -= bytes.length;
        this.#filled = 0;
      }
    } finally {
      this.close();
    }
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#socket.destroy();
  }

  async #wait(): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#silence.refresh();
    const waited = new Promise<void>((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
    // It stopped where nobody waited.
    if (!this.#socket.connecting) this.#socket.resume();
    await waited;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiter?.reject(this.#failure);
    this.#waiter = undefined;
    this.#socket.destroy();
  }

  get #isFull(): boolean {
    return this.#filled >= Math.min(this.#chunk.length, this.#left);
  }

  /** Where the kernel writes what comes next. Of a full chunk its beginning: it is handed on before anything is read. */
  #room(): Uint8Array {
    if (this.#head) return this.#head.subarray(this.#headBytes);
    return this.#isFull ? this.#chunk : this.#chunk.subarray(this.#filled);
  }

  /** @returns whether more is to come now. */
  #took(length: number): boolean {
    this.#silence.refresh();
    if (this.#head) return this.#tookHead(this.#head, length);
    this.#filled += length;
    if (!this.#isFull) return true;
    this.#done();
    return false;
  }

  #tookHead(head: Buffer, length: number): boolean {
    this.#headBytes += length;
    const given = head.subarray(0, this.#headBytes);
    const end = given.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#headBytes < head.length) return true;
      this.#fail(new Error('an answer whose head does not end'));
      return false;
    }
    this.#head = undefined;
    try {
      this.#left = contentLength(given.toString('latin1', 0, end), this.#request);
    } catch (error) {
      this.#fail(error as Error);
      return false;
    }
    const early = given.subarray(end + HEAD_END.length);
    this.#chunk.set(early);
    this.#filled = early.length;
    this.#done();
    return false;
  }

  #done(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }
}

/** Pure. @throws Error for an answer that is not all of what was asked for. */
function contentLength(head: string, request: ByteRequest): number {
  const isAll = isWhole(request);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (!isAll && status === 200) throw new Error('the edge sent all of it, in place of a part');
  if (status !== (isAll ? 200 : 206)) throw new Error(`status ${status}`);
  const [, length] = /^content-length: *(\d{1,15}) *$/im.exec(head) ?? [];
  if (length === undefined) throw new Error('an answer that does not tell its length');
  const { start, end } = request;
  if (end !== undefined && Number(length) !== end - start)
    throw new Error(`${length} bytes, where ${end - start} were asked for`);
  return Number(length);
}

function isWhole({ start, end }: ByteRequest): boolean {
  return start === 0 && end === undefined;
}

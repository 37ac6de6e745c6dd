import { Problem } from '@bootswarm/images/format';
import { z } from 'zod';
import { type Endpoint, fillPath, isRepeatable, type Request, type Result } from './endpoint.ts';
import { ErrorBody, problem } from './errors.ts';
import { cursorOfLink } from './page.ts';

export interface ClientOptions {
  /** Such as `http://controller:8470`. */
  readonly url: string;
  readonly token?: string | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A controller that starts again takes a few seconds; what runs longer is told to be busy. */
const AGAIN_AFTER_MS = [250, 1000, 3000] as const;
/** The connection was there and broke, so that nobody knows what was done. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT']);

/** Answers of a proxy before a controller that is away. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

/** What came of a call, and what its headers told. */
export interface Answer<T> {
  readonly result: T;
  /** The ETag: as `if-match` of a change it lets that be made only while the thing is still so. */
  readonly tag: string | undefined;
  /** The cursor of the next page of a list. */
  readonly next: string | undefined;
}

/** Calls a controller by the contract alone. */
export class Client {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.#token = options.token;
  }

  /**
   * A GET of an operator is sent again where the connection broke, and so is a POST, whose Idempotency-Key lets nothing
   * be made twice. Where nobody listens, that is told at once.
   * @throws Problem as the controller sent it, or `controller_unreachable`, `answer_unreadable`.
   */
  async call<E extends Endpoint>(
    endpoint: E,
    request: Request<E>,
    options: CallOptions = {},
  ): Promise<Result<E>> {
    return (await this.callTagged(endpoint, request, options)).result;
  }

  /** Like `call`, with what headers told. */
  async callTagged<E extends Endpoint>(
    endpoint: E,
    request: Request<E>,
    options: CallOptions = {},
  ): Promise<Answer<Result<E>>> {
    const reads = endpoint.method === 'get' && endpoint.audience === 'operator';
    if (!reads && !isRepeatable(endpoint)) return this.#callOnce(endpoint, request, options);
    const key = reads ? {} : { 'idempotency-key': crypto.randomUUID() };
    const headers = { ...key, ...options.headers };
    for (const pauseMs of AGAIN_AFTER_MS) {
      try {
        return await this.#callOnce(endpoint, request, { ...options, headers });
      } catch (error) {
        if (!isWorthAnother(error)) throw error;
        await pause(pauseMs, options.signal);
        options.signal?.throwIfAborted();
      }
    }
    return this.#callOnce(endpoint, request, { ...options, headers });
  }

  async #callOnce<E extends Endpoint>(
    endpoint: E,
    request: Request<E>,
    options: CallOptions,
  ): Promise<Answer<Result<E>>> {
    const json = request.body !== undefined;
    const response = await this.#send(endpoint, request, {
      ...options,
      ...(json ? { body: JSON.stringify(request.body) } : {}),
      headers: { ...options.headers, ...(json ? { 'content-type': 'application/json' } : {}) },
    });
    const tag = response.headers.get('etag') ?? undefined;
    const next = cursorOfLink(response.headers.get('link'));
    return { result: await this.#read(endpoint, response), tag, next };
  }

  /** Like `call`, for an endpoint whose body is a stream of octets. */
  async send<E extends Endpoint & { body: 'bytes' }>(
    endpoint: E,
    request: Omit<Request<E>, 'body'>,
    bytes: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<Result<E>> {
    const response = await this.#send(endpoint, request, {
      ...options,
      body: ReadableStream.from(bytes),
      duplex: 'half',
      headers: { ...options.headers, 'content-type': 'application/octet-stream' },
    });
    return this.#read(endpoint, response);
  }

  /** Like `call`, for an endpoint that answers with octets: the response whose body is to be read. */
  async fetch<E extends Endpoint & { result: 'bytes' }>(
    endpoint: E,
    request: Request<E>,
    options: CallOptions = {},
  ): Promise<Response> {
    const response = await this.#send(endpoint, request, options);
    if (!response.ok) throw await this.#problemOf(response);
    return response;
  }

  async #send(
    endpoint: Endpoint,
    request: { readonly params?: unknown; readonly query?: unknown },
    init: RequestInit,
  ): Promise<Response> {
    try {
      const url = new URL(this.url + fillPath(endpoint.path, request.params as Record<string, unknown>));
      for (const [name, value] of Object.entries(request.query ?? {})) {
        if (value !== undefined) url.searchParams.set(name, String(value));
      }
      const headers = new Headers(init.headers);
      if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
      return await fetch(url, { ...init, method: endpoint.method.toUpperCase(), headers });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  async #read<E extends Endpoint>(endpoint: E, response: Response): Promise<Result<E>> {
    if (!response.ok) throw await this.#problemOf(response);
    const parsed = (endpoint.result as z.ZodType).safeParse(await this.#json(response));
    if (!parsed.success) throw this.#unreadable(z.prettifyError(parsed.error));
    return parsed.data as Result<E>;
  }

  async #problemOf(response: Response): Promise<Problem> {
    const parsed = ErrorBody.safeParse(await this.#json(response));
    if (!parsed.success) return this.#unreadable(`HTTP ${response.status}`, { status: response.status });
    const { field, ...body } = parsed.data.error;
    return new Problem({ ...body, ...(field === undefined ? {} : { field }) }, response.status);
  }

  /** undefined where the answer is no JSON. @throws Problem controller_unreachable where it broke off. */
  async #json(response: Response): Promise<unknown> {
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  #unreachable(error: unknown): Problem {
    return problem('controller_unreachable', {
      facts: { url: this.url, reason: reasonOf(error) },
      cause: error,
    });
  }

  #unreadable(reason: string, cause?: { readonly status: number }): Problem {
    return problem('answer_unreadable', { facts: { url: this.url, reason }, cause });
  }
}

/** Ends early where `signal` does. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    }
  });
}

/** Whether what may be sent again is worth it: the connection broke, or nobody was behind the proxy. */
function isWorthAnother(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  if (error.code === 'idempotency_key_busy' || isAway(error)) return true;
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && BROKEN.has(String(cause.code))) return true;
  return false;
}

/** Whether a proxy answered that the controller is away. */
export function isAway({ code, cause }: Problem): boolean {
  return (
    code === 'answer_unreadable' && AWAY.has((cause as { readonly status?: number } | undefined)?.status ?? 0)
  );
}

/** fetch hides why it failed in its error's cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}

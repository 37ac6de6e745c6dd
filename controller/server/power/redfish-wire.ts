import { request as httpRequest, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { type BmcOf, problem } from '@bootswarm/controller/contract';
import { plainText } from './plain-text.ts';

/** A large system resource has some 50 KiB. */
const BODY_MOST_BYTES = 1024 * 1024;
const TIMEOUT_MS = 20_000;

export type Json = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  /** Of a session or a task: a path of this service, whatever host it names. */
  readonly location: string | undefined;
  readonly token: string | undefined;
  /** Empty where there was no body. */
  readonly body: Json;
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Of this service: /redfish/v1/... */
  readonly path: string;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it is about, for errors. */
  readonly what: string;
}

interface WireOptions {
  readonly bmc: BmcOf<'redfish'>;
  /** That the address was found to stand for, and that is connected to. */
  readonly ip: string;
  readonly timeoutMs?: number;
}

/**
 * Single HTTPS calls to a Redfish service: the certificate is judged before a byte is sent, no redirect is followed,
 * and what comes back is bounded. Not by `fetch`, which resolves a name anew and cannot pin a certificate.
 */
export class RedfishWire {
  readonly #bmc: BmcOf<'redfish'>;
  readonly #ip: string;
  readonly #timeoutMs: number;

  constructor({ bmc, ip, timeoutMs = TIMEOUT_MS }: WireOptions) {
    this.#bmc = bmc;
    this.#ip = ip;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @throws Problem bmc_silent, bmc_untrusted, bmc_garbage (no TLS, no HTTP, no JSON object, too much of it, a
   * redirect); the reason of `signal`.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const { address } = this.#bmc;
    const { what } = question;
    const over = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    let socket: TLSSocket | undefined;
    try {
      socket = await this.#connect(over);
      this.#judgeCertificate(socket);
      const incoming = await this.#send(socket, question, over);
      const status = incoming.statusCode ?? 0;
      if (status >= 300 && status < 400 && status !== 304)
        throw this.garbage(what, `HTTP ${status} to ${plainText(incoming.headers.location ?? 'nowhere')}`);
      return {
        status,
        etag: incoming.headers.etag,
        location: pathOf(incoming.headers.location),
        token: single(incoming.headers['x-auth-token']),
        body: await this.#readBody(what, incoming),
      };
    } catch (error) {
      signal.throwIfAborted();
      if (over.aborted) throw problem('bmc_silent', { facts: { address, what }, cause: error });
      throw this.#problemOf(what, error);
    } finally {
      socket?.destroy();
    }
  }

  garbage(what: string, reason: string, cause?: unknown): Error {
    return problem('bmc_garbage', { facts: { address: this.#bmc.address, what, reason }, cause });
  }

  #connect(signal: AbortSignal): Promise<TLSSocket> {
    const { address, port } = this.#bmc;
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: this.#ip,
        port,
        // Judged below, before anything is sent; Node would not tell which certificate it was.
        rejectUnauthorized: false,
        ...(isIP(address) === 0 ? { servername: address } : {}),
      });
      const end = (): void => void socket.destroy(signal.reason);
      signal.addEventListener('abort', end, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', end));
      socket.once('secureConnect', () => resolve(socket)).on('error', reject);
      if (signal.aborted) end();
    });
  }

  #judgeCertificate(socket: TLSSocket): void {
    const { address, fingerprint, verify } = this.#bmc;
    const shown = (socket.getPeerX509Certificate()?.fingerprint256 ?? 'none')
      .replaceAll(':', '')
      .toLowerCase();
    if (fingerprint === undefined ? !verify || socket.authorized : shown === fingerprint) return;
    const cause = socket.authorizationError;
    const reason = fingerprint === undefined ? plainText(String(cause)) : 'it is not the one that is pinned';
    throw problem('bmc_untrusted', { facts: { address, reason, fingerprint: shown } });
  }

  #send(
    socket: TLSSocket,
    { method, path, body, headers }: Question,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { address, port } = this.#bmc;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const host = address.includes(':') ? `[${address}]` : address;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        createConnection: () => socket,
        method,
        path,
        signal,
        headers: {
          host: port === 443 ? host : `${host}:${port}`,
          accept: 'application/json',
          'accept-encoding': 'identity',
          'odata-version': '4.0',
          connection: 'close',
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      });
      outgoing.once('response', resolve).on('error', reject).end(text);
    });
  }

  async #readBody(what: string, incoming: IncomingMessage): Promise<Json> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > BODY_MOST_BYTES) throw this.garbage(what, `more than ${BODY_MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    // What goes wrong is often told as a page for people, and what went right by nothing at all.
    if (text.trim() === '' || (incoming.statusCode ?? 0) >= 400) return jsonObject(text) ?? {};
    const object = jsonObject(text);
    if (!object) throw this.garbage(what, `no JSON object: ${plainText(text)}`);
    return object;
  }

  #problemOf(what: string, error: unknown): unknown {
    const { code = '' } = error as NodeJS.ErrnoException;
    const { address } = this.#bmc;
    if (/^HPE_|^ERR_SSL|^ERR_TLS|^EPROTO/.test(code))
      return this.garbage(what, `no HTTPS (${plainText(code)})`, error);
    if (/^E[A-Z]+$|^ERR_STREAM|^ERR_HTTP/.test(code))
      return problem('bmc_silent', { facts: { address, what }, cause: error });
    return error;
  }
}

function jsonObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** Only a path of the service: a BMC does not send us to anybody else. */
export function pathOf(link: unknown): string | undefined {
  if (typeof link !== 'string') return undefined;
  const url = URL.parse(link, 'https://bmc');
  return url && /^\/redfish\/v1(\/[\w.~:@%$&'()*+,;=#-]*)*$/.test(url.pathname)
    ? url.pathname + url.search
    : undefined;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

import { get, type IncomingMessage } from 'node:http';

const SILENCE_MS = 20_000;

export interface GetOptions {
  /** The machine's own address: the edge knows it by that. */
  readonly from: string;
  readonly signal: AbortSignal;
  /** Of the first byte that is wanted; all of it where it is left out. */
  readonly start?: number;
}

/** Asks as firmware does: a connection for each request. @throws Error for no connection; the signal's reason. */
export function openHttp(url: string, { from, signal, start }: GetOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = start === undefined ? {} : { range: `bytes=${start}-` };
    const asked = get(url, { localAddress: from, agent: false, signal, headers, timeout: SILENCE_MS });
    asked.on('timeout', () => asked.destroy(new Error(`${url}: nothing came for ${SILENCE_MS / 1000} s`)));
    asked.on('response', resolve).on('error', (error) => reject(signal.aborted ? signal.reason : error));
  });
}

/** All of it as text. @throws Error for another status than 200; as `openHttp`. */
export async function getText(url: string, options: GetOptions): Promise<string> {
  const response = await openHttp(url, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  requireOk(url, response);
  return Buffer.concat(chunks).toString('utf8');
}

/** Fetches all of it and keeps nothing. @returns its bytes. @throws as `getText`. */
export async function fetchByHttp(url: string, options: GetOptions): Promise<number> {
  const response = await openHttp(url, options);
  requireOk(url, response);
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) bytes += chunk.length;
  return bytes;
}

function requireOk(url: string, response: IncomingMessage): void {
  const { statusCode } = response;
  if (statusCode === 200 || statusCode === 206) return;
  response.resume();
  throw new Error(`${url}: status ${statusCode}`);
}

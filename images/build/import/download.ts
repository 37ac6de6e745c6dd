import { createWriteStream } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from './problems.ts';

const MOST_REDIRECTS = 5;
const TRIES = 5;
/** Between two tries; longer after each. */
const PAUSE_MS = 1_000;
/** A server that sends nothing for so long is asked anew. */
const STALL_MS = 60_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface DownloadOptions {
  readonly mostBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes so far, and all of them where the server says. */
  readonly onBytes?: (bytes: number, ofBytes: number | undefined) => void;
  /** For tests. */
  readonly pauseMs?: number;
}

/** What the server calls the version of the file, so that two halves are of one. */
interface Version {
  readonly url: string;
  /** A strong ETag, or the time of the last change (RFC 9110, 13.1.5: If-Range takes either). */
  readonly validator: string;
}

/**
 * Fetches a URL to `file`, going on where an earlier run or try broke off (RFC 9110, 14.2 Range and 13.1.5 If-Range).
 * What came so far is kept beside its version in `FILE.json` where the network failed or the run was stopped.
 * @returns the bytes of the file.
 * @throws Problem `download_refused`, `download_too_large`, `download_broken`.
 */
export async function download(url: string, file: string, options: DownloadOptions): Promise<number> {
  const { pauseMs = PAUSE_MS, signal } = options;
  let reason = '';
  let idleTries = 0;
  while (idleTries < TRIES) {
    const before = await lengthOf(file);
    try {
      return await fetchRest(url, file, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error)) throw error;
      reason = reasonOf(error);
    }
    // Each try that brought something is a fresh start: a line that drops every GB still ends.
    idleTries = (await lengthOf(file)) > before ? 1 : idleTries + 1;
    await sleep(pauseMs * idleTries, undefined, signal ? { signal } : {});
  }
  const facts = { url, bytes: await lengthOf(file), tries: TRIES, reason, file };
  throw problem('download_broken', { field: 'source', facts });
}

/** Forgets what an earlier run left. */
export async function dropDownload(file: string): Promise<void> {
  await Promise.all([rm(file, { force: true }), rm(versionFile(file), { force: true })]);
}

async function fetchRest(url: string, file: string, options: DownloadOptions): Promise<number> {
  const { mostBytes } = options;
  const known = await versionOf(file);
  const held = known?.url === url ? await lengthOf(file) : 0;
  const stall = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stall.signal]) : stall.signal;
  const watch = setTimeout(() => stall.abort(new Error(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
  try {
    const headers = {
      // A length of what was compressed on the way would count other bytes.
      'accept-encoding': 'identity',
      ...(held > 0 && known ? { range: `bytes=${held}-`, 'if-range': known.validator } : {}),
    };
    const response = await fetchFollowing(url, headers, signal);
    const from = response.status === 206 ? rangeStart(response, url, held) : 0;
    if (response.status === 416 && held > 0) {
      // The file is not what it was: begin anew.
      await response.body?.cancel();
      await dropDownload(file);
      throw new PassingError('the file became shorter meanwhile');
    }
    if (!response.ok || response.body === null) refuseStatus(response, url);
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const ofBytes = Number.isSafeInteger(length) ? from + length : undefined;
    const tooLarge = (): Error =>
      problem('download_too_large', { field: 'source', facts: { url, most: mostBytes } });
    if ((ofBytes ?? 0) > mostBytes) throw tooLarge();
    await keepVersion(file, url, response);

    let bytes = from;
    await using output = createWriteStream(file, { flags: from > 0 ? 'a' : 'w' });
    for await (const part of response.body) {
      watch.refresh();
      bytes += part.length;
      if (bytes > mostBytes) throw tooLarge();
      await write(output, part);
      options.onBytes?.(bytes, ofBytes);
    }
    await finish(output);
    if (ofBytes !== undefined && bytes !== ofBytes)
      throw new PassingError(`it ended at byte ${bytes} of ${ofBytes}`);
    return bytes;
  } finally {
    clearTimeout(watch);
    // Lets go of the connection where the body was not read to its end.
    stall.abort();
  }
}

/** A failure after which it is worth to ask again. */
class PassingError extends Error {}

function isPassing(error: unknown): boolean {
  // fetch has a TypeError for every failure of the network, and Node's errno errors for a reset in the body.
  return (
    error instanceof PassingError ||
    error instanceof TypeError ||
    (error instanceof Error &&
      (error.message.startsWith('nothing came') || ('errno' in error && !('path' in error))))
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Follows redirects, to http and https alone. */
async function fetchFollowing(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  let at = url;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
    const refuse = (reason: string): Error =>
      problem('download_refused', { field: 'source', facts: { url: at, reason } });
    if (!URL.canParse(at)) throw refuse('that is not a URL');
    if (!/^https?:$/.test(new URL(at).protocol)) throw refuse('only http and https are fetched');
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    if (!REDIRECTS.has(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (location === null) throw refuse('it redirects to nowhere');
    at = new URL(location, at).href;
  }
  throw problem('download_refused', {
    field: 'source',
    facts: { url, reason: `it redirects more than ${MOST_REDIRECTS} times` },
  });
}

function rangeStart(response: Response, url: string, held: number): number {
  const from = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]);
  if (from === held) return from;
  throw problem('download_refused', {
    field: 'source',
    facts: { url, reason: `the server sent another part than the one asked for` },
  });
}

function refuseStatus(response: Response, url: string): never {
  const reason = `the server answered ${response.status} ${response.statusText}`.trim();
  if (response.status >= 500 || response.status === 429) throw new PassingError(reason);
  throw problem('download_refused', { field: 'source', facts: { url, reason } });
}

function versionFile(file: string): string {
  return `${file}.json`;
}

async function versionOf(file: string): Promise<Version | undefined> {
  try {
    return JSON.parse(await readFile(versionFile(file), 'utf8')) as Version;
  } catch {
    return undefined;
  }
}

async function keepVersion(file: string, url: string, response: Response): Promise<void> {
  const etag = response.headers.get('etag');
  const validator = etag !== null && !etag.startsWith('W/') ? etag : response.headers.get('last-modified');
  // Without a name for the version the next try begins anew.
  if (validator === null) await rm(versionFile(file), { force: true });
  else await writeFile(versionFile(file), JSON.stringify({ url, validator } satisfies Version));
}

async function lengthOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

function write(output: NodeJS.WritableStream, part: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(part, (error) => (error ? reject(error) : resolve()));
  });
}

function finish(output: ReturnType<typeof createWriteStream>): Promise<void> {
  return new Promise((resolve, reject) => {
    output.once('error', reject);
    output.end(() => resolve());
  });
}

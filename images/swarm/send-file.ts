import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ByteRange, parseRange } from './range.ts';

/** Bytes of one read. Larger reads gain nothing and hold more memory (measurements.md, HTTP). */
const READ_BYTES = 512 * 1024;
/** Buffers that are kept when nobody uses them: 16 MiB. */
const SPARE_BUFFERS = 32;
/** Bytes of one write from memory: few enough to tell how far a client came that went away. */
const WRITE_BYTES = 4 * 1024 * 1024;

const spare: Buffer[] = [];

export interface SentFile {
  /** Bytes sent, fewer than asked for where the client went away. */
  readonly bytes: number;
  /** Whether the client got all that it asked for. */
  readonly complete: boolean;
}

/** Gives the bytes at `at`, at least one and at most up to `end`; none where they cannot be read. */
type Read = (at: number, end: number) => Promise<Uint8Array> | Uint8Array;

/**
 * Answers GET and HEAD with an immutable file, whole or the one range asked for. Its SHA-256 is its strong
 * ETag. Reads go through pooled buffers: three times createReadStream's rate here (measurements.md).
 * @throws ENOENT and the like before anything was sent.
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: { readonly path: string; readonly sha256: string },
): Promise<SentFile> {
  await using handle = await open(file.path, 'r');
  const { size } = await handle.stat();
  const buffer = spare.pop() ?? Buffer.allocUnsafe(READ_BYTES);
  try {
    return await answer(request, response, file.sha256, size, (at, end) =>
      readSome(handle, buffer.subarray(0, Math.min(buffer.length, end - at)), at),
    );
  } finally {
    if (spare.length < SPARE_BUFFERS) spare.push(buffer);
  }
}

/** The same from memory. */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, sha256 }: { readonly bytes: Uint8Array; readonly sha256: string },
): Promise<SentFile> {
  return answer(request, response, sha256, bytes.length, (at, end) =>
    bytes.subarray(at, Math.min(end, at + WRITE_BYTES)),
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  sha256: string,
  size: number,
  read: Read,
): Promise<SentFile> {
  const etag = `"${sha256}"`;
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', etag);
  response.setHeader('cache-control', 'public, max-age=31536000, immutable');
  if (request.headers['if-none-match'] === etag) return endWithout(response, 304);

  // A range of another version than the one at hand is no use: RFC 9110, section 13.1.5.
  const sameVersion = (request.headers['if-range'] ?? etag) === etag;
  const asked = parseRange(sameVersion ? request.headers.range : undefined, size);
  if (asked.kind === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${size}`);
    return endWithout(response, 416);
  }
  const range = asked.kind === 'part' ? asked.range : { start: 0, end: size };
  if (asked.kind === 'part')
    response.setHeader('content-range', `bytes ${range.start}-${range.end - 1}/${size}`);
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', range.end - range.start);
  response.statusCode = asked.kind === 'part' ? 206 : 200;
  if (request.method === 'HEAD') return endWithout(response, response.statusCode);
  const bytes = await pump(range, response, read);
  return { bytes, complete: bytes === range.end - range.start };
}

function endWithout(response: ServerResponse, status: number): SentFile {
  response.statusCode = status;
  response.end();
  return { bytes: 0, complete: true };
}

/** @returns bytes that left. */
async function pump({ start, end }: ByteRange, response: ServerResponse, read: Read): Promise<number> {
  let at = start;
  while (at < end && !response.destroyed) {
    const bytes = await read(at, end);
    // The length was promised already: only breaking off can tell the client.
    if (bytes.length === 0) response.destroy(new Error('the file could not be read to its end'));
    else if (await written(response, bytes)) at += bytes.length;
  }
  if (!response.destroyed) response.end();
  return at - start;
}

async function readSome(handle: FileHandle, buffer: Buffer, at: number): Promise<Uint8Array> {
  try {
    return buffer.subarray(0, (await handle.read(buffer, 0, buffer.length, at)).bytesRead);
  } catch {
    return buffer.subarray(0, 0);
  }
}

/** Whether the bytes left; they may be overwritten once this resolves. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(false);
    response.once('close', gone);
    response.write(bytes, (error) => {
      response.off('close', gone);
      resolve(!error);
    });
  });
}

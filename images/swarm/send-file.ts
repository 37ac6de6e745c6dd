import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyBytes, chooseAnswer, type Representation } from './http-answer.ts';
import type { ByteRange } from './range.ts';

/** Bytes of one read. Larger reads gain nothing and hold more memory (measurements.md, HTTP). */
const READ_BYTES = 512 * 1024;
/** Buffers of that size at once: 32 MiB. Whoever comes beyond them reads through small ones, so that slow readers cost little. */
const LARGE_BUFFERS = 64;
const SMALL_READ_BYTES = 32 * 1024;
/** Large buffers that are kept when nobody uses them: 16 MiB. */
const SPARE_BUFFERS = 32;
/** Bytes of one write from memory: few enough to tell how far a client came that went away. */
const WRITE_BYTES = 4 * 1024 * 1024;

/**
 * Reads under way at once, two for each of libuv's threads. If a thousand came back together, their writes would fill
 * a whole turn of the event loop, and libuv accepts one connection a turn: with 500 readers newcomers waited for 5 s.
 */
const READS_AT_ONCE = 8;

const spare: Buffer[] = [];
let largeInUse = 0;
let reading = 0;
const waitingToRead: (() => void)[] = [];

export interface SentFile {
  /** Bytes sent, fewer than asked for where the client went away. */
  readonly bytes: number;
  /** Whether the client got all that it asked for. */
  readonly complete: boolean;
}

/** Gives the bytes at `at`, at least one and at most up to `end`; none where they cannot be read. */
type Read = (at: number, end: number) => Promise<Uint8Array> | Uint8Array;

/**
 * Answers GET and HEAD with a file that does not change, whole or the ranges asked for. Its SHA-256 is its strong
 * ETag. Reads go through pooled buffers: three times createReadStream's rate here (measurements.md).
 * @param part of the file, where what is sent is not all of it; the SHA-256 must tell it from other parts.
 * @throws ENOENT and the like before anything was sent.
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { path, part, ...representation }: Representation & { readonly path: string; readonly part?: ByteRange },
): Promise<SentFile> {
  await using handle = await open(path, 'r');
  const { start, end: partEnd } = part ?? { start: 0, end: (await handle.stat()).size };
  const buffer = takeBuffer();
  try {
    return await answer(request, response, representation, partEnd - start, (at, end) =>
      readSome(handle, buffer.subarray(0, Math.min(buffer.length, end - at)), start + at),
    );
  } finally {
    giveBack(buffer);
  }
}

/** The same from memory. */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, ...representation }: Representation & { readonly bytes: Uint8Array },
): Promise<SentFile> {
  return answer(request, response, representation, bytes.length, (at, end) =>
    bytes.subarray(at, Math.min(end, at + WRITE_BYTES)),
  );
}

function takeBuffer(): Buffer {
  if (largeInUse >= LARGE_BUFFERS) return Buffer.allocUnsafe(SMALL_READ_BYTES);
  largeInUse += 1;
  return spare.pop() ?? Buffer.allocUnsafe(READ_BYTES);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length < READ_BYTES) return;
  largeInUse -= 1;
  if (spare.length < SPARE_BUFFERS) spare.push(buffer);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  representation: Representation,
  size: number,
  read: Read,
): Promise<SentFile> {
  const { status, headers, body } = chooseAnswer(request, representation, size);
  response.writeHead(status, headers);
  if (body.length === 0) {
    response.end();
    return { bytes: 0, complete: true };
  }
  let bytes = 0;
  for (const part of body) {
    const length = bodyBytes([part]);
    const sent =
      part instanceof Uint8Array ? await writeAll(part, response) : await pump(part, response, read);
    bytes += sent;
    if (sent < length) break;
  }
  if (!response.destroyed) response.end();
  return { bytes, complete: bytes === bodyBytes(body) };
}

async function writeAll(bytes: Uint8Array, response: ServerResponse): Promise<number> {
  return !response.destroyed && (await written(response, bytes)) ? bytes.length : 0;
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
  return at - start;
}

async function readSome(handle: FileHandle, buffer: Buffer, at: number): Promise<Uint8Array> {
  if (reading < READS_AT_ONCE) reading += 1;
  else await new Promise<void>((resolve) => waitingToRead.push(resolve));
  try {
    return buffer.subarray(0, (await handle.read(buffer, 0, buffer.length, at)).bytesRead);
  } catch {
    return buffer.subarray(0, 0);
  } finally {
    // The place goes to the next in line.
    const next = waitingToRead.shift();
    if (next) next();
    else reading -= 1;
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

import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bodyBytes, chooseAnswer, type Representation } from './http-answer.ts';
import type { ByteRange } from './range.ts';

/** Bytes of one read. Larger reads gain nothing and hold more memory (measurements.md, HTTP). */
const READ_BYTES = 512 * 1024;
/** Buffers of that size at once: 32 MiB. Whoever comes beyond them reads through small ones, so that slow readers cost little. */
const LARGE_BUFFERS = 64;
const SMALL_READ_BYTES = 32 * 1024;
/** Large buffers that are kept when nobody uses them: 16 MiB. */
const SPARE_BUFFERS = 32;
/** Shorter parts are not worth handing over. */
const HANDED_OVER_BYTES = 128 * 1024;
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

/** Sends parts of files without bringing them into this process. */
export interface FileSender {
  /**
   * Nothing else may be written to the socket until this resolves.
   * @param file descriptor, open until then.
   * @returns bytes that left, fewer than asked for where the client went away or the file could not be read; undefined
   * where this connection or this file cannot be sent so.
   */
  send(socket: Socket, file: number, range: ByteRange): Promise<number | undefined> | undefined;
}

interface FileToSend extends Representation {
  readonly path: string;
  /** Of the file, where what is sent is not all of it; the SHA-256 must tell it from other parts. */
  readonly part?: ByteRange;
  /** Where files are not to be copied through this process. */
  readonly sender?: FileSender | undefined;
}

/** Sends the bytes of a range. @returns how many left. */
type SendRange = (range: ByteRange) => Promise<number>;

/** Gives the bytes at `at`, at least one and at most up to `end`; none where they cannot be read. */
type Read = (at: number, end: number) => Promise<Uint8Array> | Uint8Array;

/**
 * Answers GET and HEAD with a file that does not change, whole or the ranges asked for. Its SHA-256 is its strong
 * ETag. Reads go through pooled buffers, at three times createReadStream's rate (measurements.md), unless somebody
 * sends it without.
 * @throws ENOENT and the like before anything was sent.
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { path, part, sender, ...representation }: FileToSend,
): Promise<SentFile> {
  // A client has its last byte before this process knows, and may ask again: then the connection is not ours yet. No
  // file is held open for whoever sends many requests ahead.
  if (sender && !response.socket && !response.destroyed) await eitherOf(response, 'socket', 'close');
  await using handle = await open(path, 'r');
  const { start, end: partEnd } = part ?? { start: 0, end: (await handle.stat()).size };
  return await answer(request, response, representation, partEnd - start, async (range) => {
    const inFile = { start: start + range.start, end: start + range.end };
    const sent = sender && (await handOver(sender, response, handle, inFile));
    return sent ?? (await pumpFile(handle, inFile, response));
  });
}

/** The same from memory. */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, ...representation }: Representation & { readonly bytes: Uint8Array },
): Promise<SentFile> {
  return answer(request, response, representation, bytes.length, (range) =>
    pump(range, response, (at, end) => bytes.subarray(at, Math.min(end, at + WRITE_BYTES))),
  );
}

/** Undefined where the range is short, something waits to leave before it, or it cannot be sent so. */
async function handOver(
  sender: FileSender,
  response: ServerResponse,
  { fd }: FileHandle,
  range: ByteRange,
): Promise<number | undefined> {
  if (range.end - range.start < HANDED_OVER_BYTES) return undefined;
  response.flushHeaders();
  const { socket } = response;
  // What has not left would leave behind the file, also where Node has closed its half already and keeps the head back.
  return socket?.writable && response.writableLength === 0 ? sender.send(socket, fd, range) : undefined;
}

async function pumpFile(handle: FileHandle, range: ByteRange, response: ServerResponse): Promise<number> {
  const buffer = takeBuffer();
  try {
    return await pump(range, response, (at, end) =>
      readSome(handle, buffer.subarray(0, Math.min(buffer.length, end - at)), at),
    );
  } finally {
    giveBack(buffer);
  }
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
  sendRange: SendRange,
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
    const sent = part instanceof Uint8Array ? await writeAll(part, response) : await sendRange(part);
    bytes += sent;
    if (sent < length) {
      // The length was promised already: only breaking off can tell the client.
      response.destroy(new Error('not all of the file left'));
      break;
    }
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
    if (bytes.length === 0 || !(await written(response, bytes))) break;
    at += bytes.length;
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

function eitherOf(response: ServerResponse, ...names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const happened = (): void => {
      for (const name of names) response.off(name, happened);
      resolve();
    };
    for (const name of names) response.on(name, happened);
  });
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

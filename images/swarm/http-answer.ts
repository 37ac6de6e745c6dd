import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type ByteRange, parseRange } from './range.ts';

/** Bytes that are sent, as far as HTTP cares. */
export interface Representation {
  /** Of the bytes, in hexadecimal: their strong ETag. */
  readonly sha256: string;
  /** `application/octet-stream` unless said. */
  readonly contentType?: string;
  /** Whether the same URL may have other bytes tomorrow: a cache then asks again each time. */
  readonly changes?: boolean;
}

export interface Answer {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: OutgoingHttpHeaders;
  /** What follows the headers, in order: bytes as they are, or ranges of the representation. */
  readonly body: readonly (ByteRange | Uint8Array)[];
}

/** How GET and HEAD are answered from `size` bytes (RFC 9110, sections 13 to 15). */
export function chooseAnswer(
  { method, headers: asked }: Pick<IncomingMessage, 'method' | 'headers'>,
  representation: Representation,
  size: number,
): Answer {
  const { sha256, contentType = 'application/octet-stream', changes = false } = representation;
  const etag = `"${sha256}"`;
  const headers: OutgoingHttpHeaders = {
    'accept-ranges': 'bytes',
    etag,
    'cache-control': changes ? 'no-cache' : 'public, max-age=31536000, immutable',
  };
  if (isKnown(asked['if-none-match'], etag)) return { status: 304, headers, body: [] };

  // Ranges are for GET alone (14.2). A range of another version than the one at hand is no use (13.1.5).
  const partial = method === 'GET' && (asked['if-range'] ?? etag) === etag;
  const range = parseRange(partial ? asked.range : undefined, size);
  if (range.kind === 'unsatisfiable')
    return {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${size}`, 'content-length': 0 },
      body: [],
    };
  const whole: Answer = {
    status: 200,
    headers: { ...headers, 'content-type': contentType, 'content-length': size },
    body: method === 'HEAD' || size === 0 ? [] : [{ start: 0, end: size }],
  };
  if (range.kind === 'whole') return whole;
  if (range.kind === 'part')
    return {
      status: 206,
      headers: {
        ...whole.headers,
        'content-range': contentRange(range.range, size),
        'content-length': range.range.end - range.range.start,
      },
      body: [range.range],
    };
  const { boundary, body } = multipart(range.ranges, contentType, size);
  const length = bodyBytes(body);
  // The frames of many small parts would make it more than was there to begin with.
  if (length > size) return whole;
  return {
    status: 206,
    headers: {
      ...headers,
      'content-type': `multipart/byteranges; boundary=${boundary}`,
      'content-length': length,
    },
    body,
  };
}

export function bodyBytes(body: Answer['body']): number {
  return body.reduce(
    (sum, part) => sum + (part instanceof Uint8Array ? part.length : part.end - part.start),
    0,
  );
}

/** RFC 9110, section 14.6. The boundary is chosen by chance, so that no file can hold it on purpose. */
function multipart(
  ranges: readonly ByteRange[],
  contentType: string,
  size: number,
): { readonly boundary: string; readonly body: Answer['body'] } {
  const boundary = randomUUID();
  const head = (range: ByteRange): Uint8Array =>
    Buffer.from(
      `\r\n--${boundary}\r\ncontent-type: ${contentType}\r\ncontent-range: ${contentRange(range, size)}\r\n\r\n`,
    );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return { boundary, body: [...ranges.flatMap((range) => [head(range), range]), tail] };
}

function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

/** If-None-Match is a list, or `*`, and compares weakly (13.1.2). */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return (
    header === etag || header.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')))
  );
}

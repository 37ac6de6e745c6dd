import { type Bencode, decodeBencode, encodeBencode } from '@bootswarm/images/format';

/** What a peer says of itself in the extended handshake (BEP 10), as far as it matters here. */
export interface ExtendedHandshake {
  /** Port on which it listens; 0 or undefined where it does not say. */
  readonly port: number | undefined;
  /** Requests that it keeps at once. */
  readonly requests: number;
  /** Its program, for operators. */
  readonly client: string | undefined;
  /** Largest block that it serves, in bytes: more than 16 KiB between our own peers alone. */
  readonly blockBytes: number;
  /** Whether it is the edge of its segment, which gives what no neighbour has. */
  readonly isEdge: boolean;
}

/** Name of the extension that says that blocks larger than 16 KiB are welcome. */
const LARGE_BLOCKS = 'bs_block';
const EDGE = 'bs_edge';
/** The id that the extension would have in messages of its own; it needs none. */
const LARGE_BLOCKS_ID = 1;
/** Where a peer does not say how many requests it keeps, this many (BEP 10). */
const REQUESTS_UNSAID = 250;
const STANDARD_BLOCK_BYTES = 16 * 1024;
const MOST_BLOCK_BYTES = 1024 * 1024;
const MOST_CLIENT_CHARACTERS = 64;

/** A block of a stranger: every client serves so much, and many no more. */
export const UNSAID: ExtendedHandshake = {
  port: undefined,
  requests: REQUESTS_UNSAID,
  client: undefined,
  blockBytes: STANDARD_BLOCK_BYTES,
  isEdge: false,
};

/** Payload of extended message 0. */
export function encodeExtendedHandshake(own: ExtendedHandshake): Uint8Array {
  return encodeBencode(
    new Map<string, Bencode>([
      [LARGE_BLOCKS, own.blockBytes],
      ...(own.isEdge ? ([[EDGE, 1]] as const) : []),
      ['m', new Map([[LARGE_BLOCKS, LARGE_BLOCKS_ID]])],
      ...(own.port === undefined ? [] : ([['p', own.port]] as const)),
      ['reqq', own.requests],
      ['v', Buffer.from(own.client ?? '')],
    ]),
  );
}

/**
 * What a peer says, each part judged for itself: whatever is missing or makes no sense is as if it were not said.
 * @throws what `decodeBencode` throws of bytes that are none.
 */
export function decodeExtendedHandshake(payload: Uint8Array): ExtendedHandshake {
  const said = decodeBencode(payload, { depth: 4, values: 1000 });
  if (!(said instanceof Map)) return UNSAID;
  const names = said.get('m');
  const takesLargeBlocks = names instanceof Map && names.has(LARGE_BLOCKS);
  const blockBytes = takesLargeBlocks
    ? within(said.get(LARGE_BLOCKS), STANDARD_BLOCK_BYTES, MOST_BLOCK_BYTES)
    : undefined;
  return {
    port: within(said.get('p'), 1, 65535),
    requests: within(said.get('reqq'), 1, 100_000) ?? REQUESTS_UNSAID,
    client: textOf(said.get('v')),
    blockBytes:
      blockBytes === undefined ? STANDARD_BLOCK_BYTES : blockBytes - (blockBytes % STANDARD_BLOCK_BYTES),
    isEdge: said.get(EDGE) === 1,
  };
}

function within(value: Bencode | undefined, least: number, most: number): number | undefined {
  return typeof value === 'number' && value >= least && value <= most ? value : undefined;
}

/** Printable ASCII of it: it ends on operators' terminals. */
function textOf(value: Bencode | undefined): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  const text = Buffer.from(value.subarray(0, MOST_CLIENT_CHARACTERS)).toString('latin1');
  return text.replace(/[^ -~]/g, '') || undefined;
}

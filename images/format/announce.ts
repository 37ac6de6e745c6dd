import { type Bencode, BencodeUnreadable, decodeBencode, encodeBencode } from './bencode.ts';

/** What a peer tells a tracker (BEP 3, "trackers"; `numwant` is not in it, but every client has it). */
export interface Announce {
  /** 40 hexadecimal digits. */
  readonly infohash: string;
  /** TCP port at which other peers reach it. */
  readonly port: number;
  /** Bytes that it lacks. */
  readonly left: number;
  /** What happened; undefined for an announce that is due. */
  readonly event: AnnounceEvent | undefined;
  /** Peers that it would like, where it says so. */
  readonly wantedPeers: number | undefined;
}

const EVENTS = ['started', 'completed', 'stopped'] as const;
export type AnnounceEvent = (typeof EVENTS)[number];

/** What a tracker answers. */
export interface AnnounceAnswer {
  /** After which the peer should announce again. */
  readonly intervalSeconds: number;
  /** Before which it should not. */
  readonly minIntervalSeconds: number;
  /** Peers that have all of it, and peers that don't yet. */
  readonly complete: number;
  readonly incomplete: number;
  /** Compact (BEP 23): of each 4 bytes of IPv4 address and 2 of TCP port. */
  readonly peers: Uint8Array;
}

export interface PeerAddress {
  /** Dotted IPv4. */
  readonly host: string;
  readonly port: number;
}

/** Of a peer in its compact form. */
export const COMPACT_PEER_BYTES = 6;
const INFOHASH_BYTES = 20;
/** Of a query: real ones have 200 to 400 characters. */
const MOST_QUERY = 2048;

/** An announce or its answer that is not what BEP 3 says. */
export class AnnounceUnreadable extends Error {
  override readonly name = 'AnnounceUnreadable';
}

/** A tracker's refusal; the message is the tracker's. */
export class AnnounceRefused extends Error {
  override readonly name = 'AnnounceRefused';
}

/** Compact, as an announce's answer has them. */
export function compactPeers(peers: readonly PeerAddress[]): Uint8Array {
  return Uint8Array.from(
    peers.flatMap(({ host, port }) => [...host.split('.').map(Number), port >> 8, port & 0xff]),
  );
}

export function peerAddresses(compact: Uint8Array): PeerAddress[] {
  return Array.from({ length: compact.length / COMPACT_PEER_BYTES }, (_, at) => {
    const [a, b, c, d, high = 0, low = 0] = compact.subarray(at * COMPACT_PEER_BYTES);
    return { host: [a, b, c, d].join('.'), port: high * 256 + low };
  });
}

/** The query of an announce, without `?`. @param peerId 20 bytes that the peer has chosen for itself. */
export function announceQuery(announce: Announce, peerId: Uint8Array): string {
  const { infohash, port, left, event, wantedPeers } = announce;
  // Trackers count what was moved; ours doesn't, so nobody keeps the numbers.
  const fields = [
    `info_hash=${percentEncoded(Buffer.from(infohash, 'hex'))}`,
    `peer_id=${percentEncoded(peerId)}`,
    `port=${port}&uploaded=0&downloaded=0&left=${left}&compact=1`,
  ];
  if (event !== undefined) fields.push(`event=${event}`);
  if (wantedPeers !== undefined) fields.push(`numwant=${wantedPeers}`);
  return fields.join('&');
}

/**
 * Reads the query of an announce as it was sent, without `?`. What a tracker needs not know is not looked at: `ip` above
 * all, by which anyone could have others attacked, and the peer's id.
 * @throws AnnounceUnreadable, naming the parameter.
 */
export function parseAnnounce(query: string): Announce {
  if (query.length > MOST_QUERY) throw new AnnounceUnreadable(`has more than ${MOST_QUERY} characters`);
  const fields = new Map<string, string>();
  for (const field of query.split('&')) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  const port = whole(fields, 'port', 65_535);
  if (port === undefined || port === 0) throw new AnnounceUnreadable('port must be 1 to 65535');
  const left = whole(fields, 'left', Number.MAX_SAFE_INTEGER);
  if (left === undefined) throw new AnnounceUnreadable('left must be there');
  const event = fields.get('event');
  return {
    infohash: infohashOf(fields.get('info_hash') ?? ''),
    port,
    left,
    // An empty one is none, and those of later BEPs mean nothing to us.
    event: EVENTS.find((known) => known === event),
    wantedPeers: whole(fields, 'numwant', 65_535),
  };
}

/** A whole number, or undefined where it is left out. Some clients write a negative `numwant` for as many as there are. */
function whole(fields: ReadonlyMap<string, string>, name: string, most: number): number | undefined {
  const text = fields.get(name);
  if (text === undefined || (name === 'numwant' && text.startsWith('-'))) return undefined;
  const number = Number(text);
  if (!/^\d{1,16}$/.test(text) || number > most)
    throw new AnnounceUnreadable(`${name} must be a number of at most ${most}`);
  return number;
}

/** Of bytes that are percent-encoded, whichever of them the client chose to encode. `+` is a plus (RFC 1738). */
function infohashOf(text: string): string {
  let hex = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') {
      hex += text.charCodeAt(at).toString(16).padStart(2, '0');
      continue;
    }
    hex += text.slice(at + 1, at + 3).toLowerCase();
    at += 2;
  }
  if (!/^[0-9a-f]{40}$/.test(hex))
    throw new AnnounceUnreadable(`info_hash must be ${INFOHASH_BYTES} bytes, percent-encoded`);
  return hex;
}

function percentEncoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/../g, '%$&');
}

/** The body of the answer, bencoded, its peers compact (BEP 23) whatever the peer asked for. */
export function encodeAnnounceAnswer(answer: AnnounceAnswer): Uint8Array {
  const { intervalSeconds, minIntervalSeconds, complete, incomplete, peers } = answer;
  return encodeBencode(
    new Map<string, Bencode>([
      ['complete', complete],
      ['incomplete', incomplete],
      ['interval', intervalSeconds],
      ['min interval', minIntervalSeconds],
      ['peers', peers],
    ]),
  );
}

/** The body of a refusal. @param reason is shown to whoever runs the peer. */
export function encodeAnnounceRefusal(reason: string): Uint8Array {
  return encodeBencode(new Map<string, Bencode>([['failure reason', Buffer.from(reason)]]));
}

/** @throws AnnounceRefused; AnnounceUnreadable where it is no tracker's answer. */
export function decodeAnnounceAnswer(body: Uint8Array): AnnounceAnswer {
  const fields = dictionaryOf(body);
  const reason = fields.get('failure reason');
  if (reason instanceof Uint8Array) throw new AnnounceRefused(Buffer.from(reason).toString());
  const peers = fields.get('peers');
  if (!(peers instanceof Uint8Array) || peers.length % COMPACT_PEER_BYTES !== 0)
    throw new AnnounceUnreadable('peers must be compact (BEP 23)');
  const intervalSeconds = count(fields, 'interval');
  if (intervalSeconds === undefined) throw new AnnounceUnreadable('interval must be there');
  return {
    intervalSeconds,
    minIntervalSeconds: count(fields, 'min interval') ?? intervalSeconds,
    complete: count(fields, 'complete') ?? 0,
    incomplete: count(fields, 'incomplete') ?? 0,
    peers,
  };
}

function dictionaryOf(body: Uint8Array): ReadonlyMap<string, Bencode> {
  let value: Bencode;
  try {
    value = decodeBencode(body);
  } catch (error) {
    if (!(error instanceof BencodeUnreadable)) throw error;
    throw new AnnounceUnreadable(`is not bencoded: ${error.message}`);
  }
  if (!(value instanceof Map)) throw new AnnounceUnreadable('is no dictionary');
  return value;
}

function count(fields: ReadonlyMap<string, Bencode>, name: string): number | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || value < 0) throw new AnnounceUnreadable(`${name} must be a number`);
  return value;
}

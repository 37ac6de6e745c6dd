import { COMPACT_PEER_BYTES } from '@bootswarm/images/format';

/** Peers that one answer holds at most: as many as a client connects to. */
const MOST_HANDED_OUT = 50;

/** Peers by their places. */
export interface PeerRow {
  readonly count: number;
  /** Writes the compact form of the peer at `place` to byte `at`. */
  readonly write: (place: number, to: Uint8Array, at: number) => void;
}

/** A swarm as the policy sees it. */
export interface Candidates {
  /** Have all of it. */
  readonly finished: PeerRow;
  /** Don't yet. */
  readonly fetching: PeerRow;
}

export interface Asker {
  readonly isFinished: boolean;
  /** In its row; undefined where it has none. */
  readonly place: number | undefined;
  /** Peers that it would like; undefined where it does not say. */
  readonly wants: number | undefined;
}

/**
 * Which peers a peer is told of.
 *
 * Who fetches gets the edge where it seeds, then by chance up to half from those that are finished, whose links have
 * nothing else to do, and by chance from those that fetch as well, with whom it can exchange; what one row lacks comes
 * from the other. Who is finished can give to those that fetch alone.
 * @param edge compact, where it seeds.
 * @param random a whole number from 0 to below what it is given, every one as likely.
 * @returns the peers, compact.
 */
export function handOut(
  { finished, fetching }: Candidates,
  { isFinished, place, wants = MOST_HANDED_OUT }: Asker,
  edge: Uint8Array | undefined,
  random: (below: number) => number,
): Uint8Array {
  const most = Math.min(wants, MOST_HANDED_OUT);
  const told = new Uint8Array(most * COMPACT_PEER_BYTES);
  if (isFinished) return told.subarray(0, pick(fetching, undefined, most, told, 0, random));
  let at = 0;
  if (edge && most > 0) {
    told.set(edge);
    at = edge.length;
  }
  const room = most - at / COMPACT_PEER_BYTES;
  const givers = Math.min(finished.count, Math.max(Math.ceil(room / 2), room - othersIn(fetching, place)));
  at = pick(finished, undefined, Math.min(givers, room), told, at, random);
  at = pick(fetching, place, most - at / COMPACT_PEER_BYTES, told, at, random);
  return told.subarray(0, at);
}

function othersIn({ count }: PeerRow, place: number | undefined): number {
  return place === undefined ? count : count - 1;
}

/** Writes so many of a row from byte `at` on, by chance, but for the one at `but`. @returns the byte behind them. */
function pick(
  row: PeerRow,
  but: number | undefined,
  most: number,
  to: Uint8Array,
  at: number,
  random: (below: number) => number,
): number {
  let end = at;
  for (const place of draw(row.count, but, most, random)) {
    row.write(place, to, end);
    end += COMPACT_PEER_BYTES;
  }
  return end;
}

/** At most so many different places of a row, in an order by chance. */
function draw(
  count: number,
  but: number | undefined,
  most: number,
  random: (below: number) => number,
): readonly number[] {
  if (2 * most < count) {
    // Few of many: one that was drawn before seldom comes again, and no list of all is made.
    const drawn: number[] = [];
    while (drawn.length < most) {
      const place = random(count);
      if (place !== but && !drawn.includes(place)) drawn.push(place);
    }
    return drawn;
  }
  // A shuffle of which no more is done than is needed (Fisher and Yates).
  const places = Array.from({ length: count }, (_, place) => place).filter((place) => place !== but);
  const wanted = Math.min(most, places.length);
  for (let at = 0; at < wanted; at++) {
    const from = at + random(places.length - at);
    [places[at], places[from]] = [places[from] as number, places[at] as number];
  }
  return places.slice(0, wanted);
}

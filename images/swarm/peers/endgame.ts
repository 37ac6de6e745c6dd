/** What is missing of an artefact, once all of it is asked for. */
export interface Ending {
  readonly missingPieces: number;
  readonly pieceBytes: number;
  /** Bytes a second, of all peers together. */
  readonly perSecond: number;
  /** Since a piece was complete last. */
  readonly sincePieceMs: number;
}

/** What comes in this time is the end: of more than that, a duplicate delays what is under way. */
const END_SECONDS = 0.1;
const LAST_PIECES = 2;
/** With nothing complete for so long, those that were asked are too slow. */
const STALLED_MS = 1000;

/**
 * Whether what others were asked for is worth asking of one more. Where it was, as soon as everything was asked for,
 * eight machines fetched 5 % of an image twice, at the cost of as much time. No I/O, no clock.
 */
export function isWorthDuplicating({ missingPieces, pieceBytes, perSecond, sincePieceMs }: Ending): boolean {
  const isLast = missingPieces <= LAST_PIECES || missingPieces * pieceBytes <= perSecond * END_SECONDS;
  return isLast || sincePieceMs >= STALLED_MS;
}

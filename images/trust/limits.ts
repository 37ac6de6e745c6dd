/** Of The Update Framework, as metadata names it. */
export const SPEC_VERSION = '1.0.31';

/**
 * Files that the targets role names at most. @tufjs/models copies its whole map for every entry: 500 cost 90 ms of
 * parsing and checking, 2,000 cost 2 s, 5,000 cost 13 s (images/decisions/0006).
 */
export const MOST_TARGETS = 1000;

/** Bytes that are read at most of each file of metadata. */
export const MOST_BYTES = {
  root: 64 * 1024,
  timestamp: 16 * 1024,
  snapshot: 16 * 1024,
  targets: 1024 * 1024,
} as const;

/** Roots that a client goes through in one refresh. */
export const MOST_ROTATIONS = 256;

const DAY_MS = 24 * 3600 * 1000;

/**
 * How long a signature holds. The two that a controller signs by itself, anew when half of their time is over, are short,
 * as they tell a client that it is not held back; and no shorter than a controller may be away, for an agent believes
 * nothing that is over. The operator's are a year, as somebody has to fetch a key for them.
 */
export const VALID_MS = {
  root: 365 * DAY_MS,
  targets: 365 * DAY_MS,
  snapshot: 14 * DAY_MS,
  timestamp: 7 * DAY_MS,
} as const;

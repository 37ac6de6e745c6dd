const BLOCK_BYTES = 1024 * 1024;
/** Tables, boot loaders and the superblocks of arrays are there. */
const ENDS_BYTES = 16 * BLOCK_BYTES;
const SAMPLES = 1024;

export interface ReadRange {
  readonly start: number;
  readonly length: number;
}

/**
 * What of a disk is read to see whether it was wiped: both ends, and a block from each of 1,024 equal parts of it, at
 * places that `random` chooses; all of a disk that is not larger than that. Pure.
 * @param random from 0 to below 1.
 */
export function sampleRanges(sizeBytes: number, random: () => number): readonly ReadRange[] {
  if (sizeBytes <= 2 * ENDS_BYTES + SAMPLES * BLOCK_BYTES) return blocksOf(0, sizeBytes);
  const first = ENDS_BYTES;
  const partBytes = Math.floor((sizeBytes - 2 * ENDS_BYTES) / SAMPLES);
  const between = Array.from({ length: SAMPLES }, (_, part) => {
    const room = Math.floor((partBytes - BLOCK_BYTES) / 512);
    return { start: first + part * partBytes + Math.floor(random() * (room + 1)) * 512, length: BLOCK_BYTES };
  });
  return [...blocksOf(0, ENDS_BYTES), ...between, ...blocksOf(sizeBytes - ENDS_BYTES, sizeBytes)];
}

function blocksOf(from: number, to: number): readonly ReadRange[] {
  return Array.from({ length: Math.ceil((to - from) / BLOCK_BYTES) }, (_, index) => {
    const start = from + index * BLOCK_BYTES;
    return { start, length: Math.min(BLOCK_BYTES, to - start) };
  });
}

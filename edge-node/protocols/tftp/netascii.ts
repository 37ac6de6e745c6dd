const LF = 10;
const CR = 13;
const NUL = 0;

/** Bytes of the netascii mode (RFC 1350 section 1, RFC 764): LF as CR LF, and CR, which would be taken for one, as CR NUL. */
export function netascii(bytes: Uint8Array): Uint8Array {
  const ends = bytes.reduce((count, byte) => (byte === LF || byte === CR ? count + 1 : count), 0);
  const converted = new Uint8Array(bytes.length + ends);
  let at = 0;
  for (const byte of bytes) {
    if (byte === LF) converted[at++] = CR;
    converted[at++] = byte;
    if (byte === CR) converted[at++] = NUL;
  }
  return converted;
}

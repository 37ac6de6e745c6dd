/** Text in which `*` stands for anything, held against bytes; `hex:` before it means their hexadecimal. */
export type Pattern = (bytes: Uint8Array | undefined) => boolean;

/** Takes time in proportion to the bytes, whatever the pattern. */
export function compilePattern(pattern: string): Pattern {
  const isHex = pattern.startsWith('hex:');
  const [start = '', ...others] = (isHex ? pattern.slice('hex:'.length) : pattern).split('*');
  const end = others.pop();
  return (bytes) => {
    if (bytes === undefined) return false;
    const text = isHex ? Buffer.from(bytes).toString('hex') : printableText(bytes);
    if (text === undefined) return false;
    if (end === undefined) return text === start;
    if (!text.startsWith(start)) return false;
    let at = start.length;
    for (const part of others) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - end.length >= at && text.endsWith(end);
  };
}

/** Undefined where a byte is no printable ASCII: only the hexadecimal can be meant then. */
function printableText(bytes: Uint8Array): string | undefined {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? Buffer.from(bytes).toString('latin1')
    : undefined;
}

/** What a person reads of a BMC's text, at most. */
const TEXT_MOST = 200;

/**
 * Text of a BMC as it may stand in errors, logs and terminals: control characters, escapes, and marks that turn the
 * direction of writing or take no room are blanks; it is cut at 200 characters.
 */
export function plainText(text: string): string {
  const plain = text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length > TEXT_MOST ? `${plain.slice(0, TEXT_MOST).replace(/[\ud800-\udbff]$/, '')}...` : plain;
}

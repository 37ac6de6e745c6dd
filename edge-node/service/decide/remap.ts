import { type CompiledPattern, compileEgrep } from './remap-pattern.ts';

/** One line of a map file as tftpd-hpa reads it (in.tftpd(8), FILENAME REMAPPING). */
export interface RemapRule {
  readonly matches: CompiledPattern;
  readonly replacement: readonly Part[];
  readonly replaces: boolean;
  /** Again until it no longer matches. */
  readonly repeats: boolean;
  readonly next: 'rule' | 'end' | 'restart' | 'refuse';
  readonly isInverse: boolean;
  /** For writes or IPv6 alone: it never applies here. */
  readonly isIdle: boolean;
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'group'; readonly number: number }
  | { readonly kind: 'address'; readonly isHex: boolean }
  | { readonly kind: 'case'; readonly to: 'upper' | 'lower' | 'as is' };

export type ParsedMap =
  | { readonly ok: true; readonly rules: readonly RemapRule[] }
  | { readonly ok: false; readonly line: number; readonly reason: string };

export type Remapped =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'refused' }
  /** The rules turn in a circle. */
  | { readonly kind: 'circle' };

const MOST_RULES = 256;
/** Of matches in one request, repeated and restarted ones included. */
const MOST_STEPS = 128;
/** Longer names go through no rule: patterns take time in powers of the length. */
const MOST_NAME = 128;
const OPERATIONS = new Set('rgieasGP46~');

/** Reads a map file. Comments begin with `#`; blanks and `#` inside a pattern stand behind a backslash. */
export function parseMap(text: string): ParsedMap {
  const rules: RemapRule[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = wordsOf(line);
    if (words.length === 0) continue;
    const rule = parseRule(words);
    if (typeof rule === 'string') return { ok: false, line: index + 1, reason: rule };
    if (rules.length === MOST_RULES)
      return { ok: false, line: index + 1, reason: `there are more than ${MOST_RULES} rules` };
    rules.push(rule);
  }
  return { ok: true, rules };
}

/** What `name` is to be called. Rules apply from the top down; each replaces its first match. */
export function remap(rules: readonly RemapRule[], name: string, clientAddress: string): Remapped {
  if (name.length > MOST_NAME) return { kind: 'name', name };
  let current = name;
  let steps = 0;
  for (let at = 0; at < rules.length; at++) {
    const rule = rules[at];
    if (!rule || rule.isIdle) continue;
    let hasMatched = false;
    for (let isAgain = true; isAgain; ) {
      const match = rule.matches(current);
      if ((match !== undefined) === rule.isInverse) break;
      if (rule.next === 'refuse') return { kind: 'refused' };
      hasMatched = true;
      steps += 1;
      const before = current;
      if (rule.replaces && match)
        current =
          current.slice(0, match.at) +
          filled(rule.replacement, match.groups, clientAddress) +
          current.slice(match.at + (match.groups[0]?.length ?? 0));
      if (steps > MOST_STEPS || current.length > MOST_NAME) return { kind: 'circle' };
      isAgain = rule.repeats && current !== before;
    }
    if (hasMatched && rule.next === 'end') break;
    if (hasMatched && rule.next === 'restart') at = -1;
  }
  return { kind: 'name', name: current };
}

function parseRule([operation = '', pattern, replacement, ...rest]: readonly string[]): RemapRule | string {
  const flags = new Set(operation);
  const unknown = [...flags].find((flag) => !OPERATIONS.has(flag));
  if (unknown !== undefined)
    return `'${unknown}' in '${operation}' is no operation known here; there are r g i e s a G P 4 6 ~`;
  if (pattern === undefined) return 'a pattern must follow the operation';
  if (rest.length > 0) return `'${rest[0]}' is too much; a blank inside a pattern stands behind a backslash`;
  if (flags.has('~') && flags.has('r')) return "'~' and 'r' exclude each other: there is no match to replace";
  if (flags.has('g') && !flags.has('r')) return "'g' repeats a replacement, and there is none without 'r'";
  if (replacement !== undefined && !flags.has('r')) return "a replacement needs the operation 'r'";
  const exclusive = ['a', 'e', 's'].filter((flag) => flags.has(flag));
  if (exclusive.length > 1) return `'${exclusive.join("' and '")}' exclude each other`;
  const compiled = compileEgrep(pattern, flags.has('i'));
  if (typeof compiled === 'string') return compiled;
  const parts = partsOf(replacement ?? '');
  if (typeof parts === 'string') return parts;
  return {
    matches: compiled,
    replacement: parts,
    replaces: flags.has('r'),
    repeats: flags.has('g'),
    next: flags.has('a') ? 'refuse' : flags.has('e') ? 'end' : flags.has('s') ? 'restart' : 'rule',
    isInverse: flags.has('~'),
    isIdle: flags.has('P') || flags.has('6'),
  };
}

/** Words of a line; a backslash takes the meaning from a blank or `#` behind it. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    const next = line[at + 1];
    if (character === '\\' && next !== undefined) {
      word = (word ?? '') + (/[\s#]/.test(next) ? next : character + next);
      at += 1;
    } else if (character === '#') break;
    else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function partsOf(replacement: string): readonly Part[] | string {
  const parts: Part[] = [];
  for (const [piece] of replacement.matchAll(/\\.|[^\\]+|\\$/gs)) {
    const escaped = piece.startsWith('\\') ? piece.slice(1) : undefined;
    if (escaped === undefined) parts.push({ kind: 'text', text: piece });
    else if (/^\d$/.test(escaped)) parts.push({ kind: 'group', number: Number(escaped) });
    else if (escaped === 'i' || escaped === 'x') parts.push({ kind: 'address', isHex: escaped === 'x' });
    else if (escaped === 'U') parts.push({ kind: 'case', to: 'upper' });
    else if (escaped === 'L') parts.push({ kind: 'case', to: 'lower' });
    else if (escaped === 'E') parts.push({ kind: 'case', to: 'as is' });
    else if (/^[^A-Za-z0-9]$/.test(escaped)) parts.push({ kind: 'text', text: escaped });
    else
      return `'\\${escaped}' in the replacement has no meaning; there are \\0 to \\9 \\i \\x \\U \\L \\E \\\\`;
  }
  return parts;
}

function filled(parts: readonly Part[], groups: readonly string[], clientAddress: string): string {
  let text = '';
  let to: 'upper' | 'lower' | 'as is' = 'as is';
  for (const part of parts) {
    if (part.kind === 'case') to = part.to;
    else {
      const piece = pieceOf(part, groups, clientAddress);
      text += to === 'upper' ? piece.toUpperCase() : to === 'lower' ? piece.toLowerCase() : piece;
    }
  }
  return text;
}

function pieceOf(part: Exclude<Part, { kind: 'case' }>, groups: readonly string[], address: string): string {
  if (part.kind === 'text') return part.text;
  if (part.kind === 'group') return groups[part.number] ?? '';
  if (!part.isHex) return address;
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return octets.join('').toUpperCase();
}

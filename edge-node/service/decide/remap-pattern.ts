/** Where a pattern matches and what its groups hold, the whole match first; undefined where it does not. */
export type CompiledPattern = (
  text: string,
) => { readonly at: number; readonly groups: readonly string[] } | undefined;

/** Repetitions in one pattern: matching takes time in that power of the name's length, times the length where it may start anywhere. */
const MOST_REPETITIONS = { anchored: 3, elsewhere: 2 };
const MOST_BYTES = 200;
const CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  digit: '0-9',
  lower: 'a-z',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/**
 * Compiles an extended regular expression of POSIX (egrep(1)) to one that takes bounded time. What could take long is
 * refused: a repeated group that holds a repetition or a choice, and many repetitions in a row.
 * @returns what is wrong, for a person, where it is refused.
 */
export function compileEgrep(pattern: string, ignoreCase: boolean): CompiledPattern | string {
  if (pattern.length > MOST_BYTES) return `the pattern is longer than ${MOST_BYTES} characters`;
  const source = translate(pattern);
  if (typeof source !== 'string') return source.wrong;
  let expression: RegExp;
  try {
    expression = new RegExp(source, ignoreCase ? 'is' : 's');
  } catch {
    return `'${pattern}' is no regular expression`;
  }
  return (text) => {
    const match = expression.exec(text);
    return match ? { at: match.index, groups: match.map((group) => group ?? '') } : undefined;
  };
}

interface Group {
  repetitions: number;
  hasChoice: boolean;
}

function translate(pattern: string): string | { readonly wrong: string } {
  const groups: Group[] = [];
  let source = '';
  let repetitions = 0;
  let closed: Group | undefined;
  let canRepeat = false;
  const isAnchored = pattern.startsWith('^') && !pattern.includes('|');
  const most = isAnchored ? MOST_REPETITIONS.anchored : MOST_REPETITIONS.elsewhere;
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at);
    const [piece = '', repeat] =
      /^(?:([*+?]|\{\d{1,3}(?:,\d{0,3})?\})|\\.|\[\^?\]?(?:\[:[a-z]+:\]|[^\]])*\]|.)/s.exec(rest) ?? [];
    at += piece.length;
    if (repeat !== undefined) {
      if (!canRepeat) return wrong(`'${piece}' has nothing to repeat; one repetition cannot follow another`);
      if (closed && piece !== '?' && (closed.repetitions > 0 || closed.hasChoice))
        return wrong(
          `a group that repeats or chooses cannot be repeated by '${piece}'; say it without the group`,
        );
      if (closed && piece !== '?') closed = undefined;
      repetitions += 1;
      for (const group of groups) group.repetitions += 1;
      if (repetitions > most)
        return wrong(
          `it repeats more than ${most} times, and could take long; begin it with '^' for 3, or take several rules`,
        );
      source += piece;
      canRepeat = false;
      continue;
    }
    closed = undefined;
    canRepeat = true;
    if (piece === '(') {
      if (pattern[at] === '?') return wrong("'(?' is not egrep's");
      groups.push({ repetitions: 0, hasChoice: false });
      canRepeat = false;
      source += piece;
    } else if (piece === ')') {
      closed = groups.pop();
      if (!closed) return wrong("')' closes nothing");
      source += piece;
    } else if (piece === '|') {
      for (const group of groups) group.hasChoice = true;
      canRepeat = false;
      source += piece;
    } else if (piece.startsWith('[') && piece.length > 1) {
      const bracket = bracketOf(piece);
      if (bracket === undefined) return wrong(`'${piece}' names no class of characters`);
      source += bracket;
    } else if (piece.startsWith('\\')) {
      if (!/^\\[^A-Za-z0-9]$/s.test(piece)) return wrong(`'${piece}' is not egrep's`);
      source += piece;
    } else if (piece === '^' || piece === '$') {
      canRepeat = false;
      source += piece;
    } else if (/[[\]{}]/.test(piece)) return wrong(`'${piece}' stands alone; put a backslash before it`);
    else source += piece === '/' ? '\\/' : piece;
  }
  return groups.length > 0 ? wrong("'(' is not closed") : source;
}

/** A bracket expression: a backslash in it is a backslash, and `]` comes first. */
function bracketOf(piece: string): string | undefined {
  const [, not = '', inside = ''] = /^\[(\^?)(.*)\]$/s.exec(piece) ?? [];
  let isKnown = true;
  const body = inside.replace(/\[:([a-z]+):\]|[\\[\]^]/g, (found, name: string | undefined) => {
    if (name === undefined) return `\\${found}`;
    isKnown &&= Object.hasOwn(CLASSES, name);
    return CLASSES[name] ?? '';
  });
  return isKnown && inside !== '' ? `[${not}${body}]` : undefined;
}

function wrong(reason: string): { readonly wrong: string } {
  return { wrong: reason };
}

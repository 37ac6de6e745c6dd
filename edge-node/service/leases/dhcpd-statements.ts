/** The grammar of ISC dhcpd's files: words, then `;` or a block in braces (dhcpd.leases(5), dhcpd.conf(5)). */
export interface Statement {
  /** From 1. */
  readonly line: number;
  readonly words: readonly Word[];
  /** Undefined: it ends with a semicolon. */
  readonly block: readonly Statement[] | undefined;
}

interface Word {
  readonly text: string;
  /** A string in quotes, whose escapes are resolved. */
  readonly isQuoted: boolean;
}

/** What is no statement, and where. */
export class SyntaxSlip extends Error {
  readonly line: number;

  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}

interface Token extends Word {
  readonly line: number;
}

/** Blocks deeper than any program nests them. */
const DEEPEST = 32;

/** @throws SyntaxSlip */
export function statementsOf(text: string): Statement[] {
  const tokens = tokensOf(text);
  let at = 0;

  function block(depth: number, openedAt: number | undefined): Statement[] {
    const statements: Statement[] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined) {
        if (openedAt === undefined) return statements;
        throw new SyntaxSlip(openedAt, "the block that begins here has no '}'");
      }
      if (isMark(token, '}')) {
        if (openedAt === undefined) throw new SyntaxSlip(token.line, "there is a '}' too many");
        at += 1;
        return statements;
      }
      statements.push(statement(depth, token.line));
    }
  }

  function statement(depth: number, line: number): Statement {
    const words: Word[] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined || isMark(token, '}')) throw new SyntaxSlip(line, "the statement has no ';'");
      at += 1;
      if (isMark(token, ';')) return { line, words, block: undefined };
      if (isMark(token, '{')) {
        if (depth === DEEPEST) throw new SyntaxSlip(line, 'blocks are nested too deeply');
        return { line, words, block: block(depth + 1, token.line) };
      }
      words.push(token);
    }
  }

  return block(0, undefined);
}

function isMark({ text, isQuoted }: Token, mark: string): boolean {
  return text === mark && !isQuoted;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\n|[^\S\n]+|#[^\n]*|[{};]|"((?:[^"\\\n]|\\[^\n])*)"|[^\s{};"#]+/gy;
  let line = 1;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (!found) throw new SyntaxSlip(line, 'a string in quotes does not end on its line');
    const [all, inQuotes] = found;
    if (all === '\n') line += 1;
    else if (inQuotes !== undefined) tokens.push({ text: unescaped(inQuotes), isQuoted: true, line });
    else if (!/^[\s#]/.test(all)) tokens.push({ text: all, isQuoted: false, line });
  }
  return tokens;
}

/** Bytes beside printable ASCII are `\ooo` in octal; any other escaped character is itself. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\([0-3][0-7]{2}|.)/g, (_, escaped: string) =>
    escaped.length === 3 ? String.fromCharCode(Number.parseInt(escaped, 8)) : escaped,
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** `text` in quotes, as `statementsOf` reads it back. */
export function quoted(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const escaped = bytes.replace(/["\\]|[^ -~]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

import { problem } from '../problems.ts';

/** Where something stands; line and column from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Token {
  /** `mark`: one of ( ) , = != ~= ~~ and, between tokens, { } ; */
  readonly kind: 'word' | 'string' | 'mark';
  /** Of a string what is between the quotes, one character for each byte (latin1), escapes resolved. */
  readonly text: string;
  readonly place: Place;
}

/** Tokens up to `;` or to the block in braces that follows them. */
export interface Statement {
  readonly place: Place;
  readonly tokens: readonly Token[];
  readonly block?: readonly Statement[];
}

/** No configuration nests deeper; what does is no configuration. */
const DEEPEST = 64;
const TOKEN =
  /(?<blank>[ \t\r\n\f\v]+|#[^\n]*)|"(?<string>(?:[^"\\]|\\[\s\S])*)"|(?<mark>!=|~=|~~|[(){},;=])|(?<word>[^\s"#(){},;=!~\p{Cc}]+)/uy;

/**
 * The statements of a dhcpd.conf(5).
 * @param text one character for each byte (latin1).
 * @throws Problem dhcpd_conf_syntax, with file, line and column.
 */
export function parseDhcpdConf(text: string, file: string): readonly Statement[] {
  return new Parser(tokensOf(text, file), file).statements();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #file: string;
  #at = 0;

  constructor(tokens: readonly Token[], file: string) {
    this.#tokens = tokens;
    this.#file = file;
  }

  statements(opened?: Token, depth = 0): readonly Statement[] {
    if (opened && depth > DEEPEST) throw slip(opened.place, `blocks are nested more than ${DEEPEST} deep`);
    const statements: Statement[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) {
        if (!opened) return statements;
        throw slip(opened.place, "this '{' is never closed");
      }
      if (isMark(token, '}')) {
        if (!opened) throw slip(token.place, "this '}' closes nothing");
        this.#at += 1;
        return statements;
      }
      // Behind the '}' of a zone or key some write a ';' that ends nothing.
      if (isMark(token, ';')) this.#at += 1;
      else statements.push(this.#statement(token.place, depth));
    }
  }

  #statement(place: Place, depth: number): Statement {
    const tokens: Token[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || isMark(token, '}'))
        throw slip(token?.place ?? place, "a ';' is missing before this", this.#file);
      this.#at += 1;
      if (isMark(token, ';')) return { place, tokens };
      if (isMark(token, '{')) {
        // `option x code 200 = { integer 8, text };` holds a record, and no block.
        const last = tokens.at(-1);
        const isRecord = tokens[0]?.text === 'option' && (last?.text === '=' || last?.text === 'of');
        if (!isRecord) return { place, tokens, block: this.statements(token, depth + 1) };
        tokens.push(token, ...this.#record(token));
      } else tokens.push(token);
    }
  }

  #record(opened: Token): readonly Token[] {
    const from = this.#at;
    const length = this.#tokens.slice(from).findIndex((token) => isMark(token, '}'));
    if (length < 0) throw slip(opened.place, "this '{' is never closed");
    this.#at = from + length + 1;
    return this.#tokens.slice(from, this.#at);
  }
}

function tokensOf(text: string, file: string): readonly Token[] {
  const tokens: Token[] = [];
  let [at, line, lineStart] = [0, 1, 0];
  while (at < text.length) {
    const place = { file, line, column: at - lineStart + 1 };
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) {
      const reason = text[at] === '"' ? 'this string is never closed' : 'no such character may stand here';
      throw slip(place, reason);
    }
    const { string, mark, word } = found.groups ?? {};
    if (string !== undefined) tokens.push({ kind: 'string', text: unescaped(string), place });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, place });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, place });
    const end = at + found[0].length;
    for (let newline = text.indexOf('\n', at); newline >= 0 && newline < end; ) {
      [line, lineStart] = [line + 1, newline + 1];
      newline = text.indexOf('\n', newline + 1);
    }
    at = end;
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n', b: '\b' };

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{1,2})|([0-3]?[0-7]{1,2})|([\s\S]))/gi, (_, hex, octal, other) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    return ESCAPES[other] ?? other;
  });
}

export function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}

/** A statement as one would write it, without its block. */
export function textOf(tokens: readonly Token[]): string {
  let text = '';
  for (const { kind, text: each } of tokens) {
    const isTight = text === '' || each === ',' || each === ')' || each === '(' || text.endsWith('(');
    text += `${kind === 'mark' && isTight ? '' : text === '' || text.endsWith('(') ? '' : ' '}${kind === 'string' ? JSON.stringify(each) : each}`;
  }
  return text;
}

function slip(place: Place, reason: string, file = place.file): Error {
  return problem('dhcpd_conf_syntax', { facts: { file, line: place.line, column: place.column, reason } });
}

import type { DhcpClass } from '@bootswarm/controller/contract';
import { hexBytes, type OptionType } from './option-values.ts';
import { isMark, type Token, textOf } from './syntax.ts';

export type Match = DhcpClass['match'];

const ARCHITECTURE_CODE = 93;

/**
 * What `match if` asks for, as a class of ours asks for it; undefined where no class can.
 * @param own options that the file itself defines.
 */
export function matchOf(tokens: readonly Token[], own: ReadonlyMap<string, OptionType>): Match | undefined {
  const bare = withoutParentheses(tokens);
  const alternatives = splitAt(bare, 'or');
  if (alternatives.length > 1) return anyOf(alternatives.map((each) => matchOf(each, own)));
  const conditions = splitAt(bare, 'and');
  if (conditions.length > 1) return allOf(conditions.map((each) => matchOf(each, own)));
  return comparison(bare, own);
}

/** Of lists of one kind, such as architectures, any one may hold. */
function anyOf(matches: readonly (Match | undefined)[]): Match | undefined {
  const lists = new Set<string>();
  const values: unknown[] = [];
  for (const match of matches) {
    const [[name, value] = [], ...others] = Object.entries(match ?? {});
    if (name === undefined || others.length > 0 || !Array.isArray(value)) return undefined;
    lists.add(name);
    values.push(...value);
  }
  const [name = ''] = lists;
  return lists.size === 1 ? { [name]: values } : undefined;
}

function allOf(matches: readonly (Match | undefined)[]): Match | undefined {
  let all: Match = {};
  for (const match of matches) {
    if (!match || Object.keys(match).some((name) => Object.hasOwn(all, name))) return undefined;
    all = { ...all, ...match };
  }
  return all;
}

function comparison(tokens: readonly Token[], own: ReadonlyMap<string, OptionType>): Match | undefined {
  const [, existing] = /^exists agent\.(circuit-id|remote-id)$/.exec(textOf(tokens)) ?? [];
  if (existing !== undefined)
    return existing === 'circuit-id' ? { circuitId: 'hex:*' } : { remoteId: 'hex:*' };
  const at = tokens.findIndex((token) => isMark(token, '='));
  const right = tokens[at + 1];
  if (at < 0 || !right || tokens.length > at + 2) return undefined;
  return matchOfData(textOf(tokens.slice(0, at)), right, own);
}

/** What it means that `data`, an expression of dhcp-eval(5), equals `value`. */
export function matchOfData(
  data: string,
  value: Token,
  own: ReadonlyMap<string, OptionType>,
): Match | undefined {
  const bytes = value.kind === 'string' ? Buffer.from(value.text, 'latin1') : hexBytes(value.text);
  const [, part, from, length] = /^substring ?\((.*), (\d+), (\d+)\)$/.exec(data) ?? [];
  const [, binary] = /^binary-to-ascii ?\(16, 8, ":", (.*)\)$/.exec(data) ?? [];
  if (binary !== undefined) {
    const written = hexBytes(value.text);
    return written && matchOfBytes(binary, written, own);
  }
  if (!bytes) return undefined;
  // A part that is longer or shorter than what it is compared with never equals it.
  if (part !== undefined && Number(length) !== bytes.length) return undefined;
  if (part === undefined || part === 'hardware') return matchOfBytes(data, bytes, own);
  const text = printable(bytes);
  if (text === undefined || from !== '0') return undefined;
  switch (part) {
    case 'option vendor-class-identifier':
      return { vendorClass: text };
    case 'option agent.circuit-id':
      return { circuitId: `${patternOf(bytes)}*` };
    case 'option agent.remote-id':
      return { remoteId: `${patternOf(bytes)}*` };
    default:
      return undefined;
  }
}

function matchOfBytes(data: string, bytes: Buffer, own: ReadonlyMap<string, OptionType>): Match | undefined {
  const hex = bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');
  const [, from = '0', length] = /^substring ?\(hardware, (\d), (\d)\)$/.exec(data) ?? [];
  if (data === 'hardware' || length !== undefined) {
    // The first byte is the type of the hardware: 1 is Ethernet.
    const isWithType = from === '0';
    if (Number(from) > 1 || (isWithType && bytes[0] !== 1)) return undefined;
    const rest = isWithType ? hex.slice(3) : hex;
    if (rest.length === 17) return { macs: [rest] };
    return rest.length === 8 ? { ouis: [rest] } : undefined;
  }
  const text = printable(bytes);
  switch (data) {
    case 'option vendor-class-identifier':
      return text === undefined ? undefined : { vendorClass: text };
    case 'option user-class':
      return text === undefined ? undefined : { userClass: text };
    case 'option agent.circuit-id':
      return { circuitId: patternOf(bytes) };
    case 'option agent.remote-id':
      return { remoteId: patternOf(bytes) };
  }
  const name = data.replace(/^option /, '');
  const isArchitecture = name === 'pxe-system-type' || own.get(name)?.code === ARCHITECTURE_CODE;
  return isArchitecture && bytes.length === 2 ? { architectures: [bytes.readUInt16BE()] } : undefined;
}

/** As the contract writes what option 82 says: text, or hexadecimal where text would not be exact. */
export function patternOf(bytes: Buffer): string {
  const text = printable(bytes);
  return text === undefined || text.includes('*') || text.startsWith('hex:')
    ? `hex:${bytes.toString('hex')}`
    : text;
}

function printable(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1');
  return /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  let bare = tokens;
  while (isMark(bare[0], '(') && isMark(bare.at(-1), ')') && closes(bare)) bare = bare.slice(1, -1);
  return bare;
}

/** Whether the parenthesis that comes first is closed by the last. */
function closes(tokens: readonly Token[]): boolean {
  let depth = 0;
  return !tokens.slice(0, -1).some((token) => {
    depth += isMark(token, '(') ? 1 : isMark(token, ')') ? -1 : 0;
    return depth === 0;
  });
}

function splitAt(tokens: readonly Token[], operator: 'and' | 'or'): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += isMark(token, '(') ? 1 : isMark(token, ')') ? -1 : 0;
    if (depth === 0 && token.kind === 'word' && token.text.toLowerCase() === operator) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

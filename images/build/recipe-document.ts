import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { problem } from './problems.ts';

/** Where something of a recipe is written. Lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A YAML value that knows where it came from, also after recipes were merged. */
export type Located = LocatedMap | LocatedList | LocatedScalar;

export interface LocatedMap {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

export interface LocatedEntry {
  /** Of the key. */
  readonly place: Place;
  readonly value: Located;
}

interface LocatedList {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Located[];
}

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: unknown;
  /** Where its text begins: a block scalar's is on the line below its `|`. */
  readonly textLine: number;
}

/** An anchor used again and again makes a small file large: no recipe comes near. */
const MOST_NODES = 100_000;

/**
 * Reads one YAML file.
 * @param file for messages only.
 * @throws Problem `recipe_not_yaml`: every mistake, as `FILE:LINE:COLUMN`.
 */
export function readDocument(text: string, file: string): Located {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    const list = mistakes.map((mistake) => {
      const { line, col } = lineCounter.linePos(mistake.pos[0]);
      return `${file}:${line}:${col}: ${mistake.message}`;
    });
    throw problem('recipe_not_yaml', { facts: { list: list.join('\n') } });
  }
  return new Locator(document, file, lineCounter).locate(document.contents);
}

class Locator {
  readonly #document: Document;
  readonly #file: string;
  readonly #lines: LineCounter;
  #nodes = 0;

  constructor(document: Document, file: string, lines: LineCounter) {
    this.#document = document;
    this.#file = file;
    this.#lines = lines;
  }

  locate(node: unknown): Located {
    this.#nodes += 1;
    if (this.#nodes > MOST_NODES) throw this.#refusal(node, `more than ${MOST_NODES} values`);
    const place = this.#placeOf(node);
    if (isAlias(node)) return { ...this.locate(node.resolve(this.#document)), place };
    if (isSeq(node))
      return { kind: 'list', place: place, items: node.items.map((item) => this.locate(item)) };
    if (isMap(node)) {
      const entries = new Map<string, LocatedEntry>();
      for (const { key, value } of node.items) {
        if (!isScalar(key)) throw this.#refusal(key, 'a key must be text');
        entries.set(String(key.value), { place: this.#placeOf(key), value: this.locate(value) });
      }
      return { kind: 'map', place: place, entries };
    }
    if (!isScalar(node)) return { kind: 'scalar', place, value: null, textLine: place.line };
    const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    return { kind: 'scalar', place, value: node.value, textLine: place.line + (isBlock ? 1 : 0) };
  }

  #placeOf(node: unknown): Place {
    const offset = (node as Node | null)?.range?.[0] ?? 0;
    return { file: this.#file, line: this.#lines.linePos(offset).line };
  }

  #refusal(node: unknown, reason: string): Error {
    const { file, line } = this.#placeOf(node);
    return problem('recipe_not_yaml', { facts: { list: `${file}:${line}:1: ${reason}` } });
  }
}

/** The value without its places. */
export function plainOf(located: Located): unknown {
  if (located.kind === 'scalar') return located.value;
  if (located.kind === 'list') return located.items.map(plainOf);
  return Object.fromEntries([...located.entries].map(([key, { value }]) => [key, plainOf(value)]));
}

/** Where `path` is written, or the nearest above it that is; for the entry of a map that is its key. */
export function placeAt(located: Located, path: readonly PropertyKey[]): Place {
  let node: Located | undefined = located;
  let { place } = located;
  for (const step of path) {
    const entry: LocatedEntry | undefined = entryAt(node, step);
    if (entry === undefined) break;
    place = entry.place;
    node = entry.value;
  }
  return place;
}

/** Whether there is anything at `path`. */
export function hasAt(located: Located, path: readonly PropertyKey[]): boolean {
  let node: Located | undefined = located;
  for (const step of path) {
    node = entryAt(node, step)?.value;
    if (node === undefined) return false;
  }
  return true;
}

function entryAt(node: Located, step: PropertyKey): LocatedEntry | undefined {
  if (node.kind === 'map') return node.entries.get(String(step));
  const item = node.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined;
  return item && { place: item.place, value: item };
}

import { z } from 'zod';

/** Most things on a page. */
export const PAGE_MOST = 1000;

/** What a call for a list takes beside; without either it gives all. */
export const PageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_MOST).optional().describe('At most so many; all without it'),
  cursor: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('The list goes on behind it. Link (rel="next") of the page before has it'),
};

export interface PageAsked {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** By what a list is in order. No two things of it have the same key. */
export interface Order<T> {
  readonly keyOf: (thing: T) => string;
  /** Whether the greatest key is first. */
  readonly isFalling?: true;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; undefined where this is the last. */
  readonly next?: string;
}

/**
 * A page of a list. Its cursor is the key of its last thing, which need not be there any more when the next is asked
 * for: who walks a list gets each thing once that is there all the time, whatever comes and goes meanwhile.
 */
export function pageOf<T>(things: readonly T[], order: Order<T>, { limit, cursor }: PageAsked): Page<T> {
  if (limit === undefined && cursor === undefined) return { items: things };
  const sign = order.isFalling ? -1 : 1;
  const behind = (key: string): boolean =>
    cursor === undefined || (key < cursor ? -1 : key > cursor ? 1 : 0) * sign > 0;
  const rest = things
    .map((thing) => ({ thing, key: order.keyOf(thing) }))
    .filter(({ key }) => behind(key))
    .toSorted((a, b) => (a.key < b.key ? -sign : sign));
  const taken = rest.slice(0, limit);
  const last = taken.at(-1);
  return {
    items: taken.map(({ thing }) => thing),
    ...(last !== undefined && taken.length < rest.length ? { next: last.key } : {}),
  };
}

/** `<…?limit=2&cursor=b>; rel="next"`: the call for the next page (RFC 8288). @param url of this one. */
export function linkToNext(url: string, next: string): string {
  const { pathname, searchParams } = new URL(url);
  searchParams.delete('after');
  searchParams.set('cursor', next);
  return `<${pathname}?${searchParams}>; rel="next"`;
}

/** The cursor that such a header names; undefined where it names none. */
export function cursorOfLink(header: string | null): string | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(header ?? '') ?? [];
  if (target === undefined || !URL.canParse(target, 'http://controller')) return undefined;
  return new URL(target, 'http://controller').searchParams.get('cursor') ?? undefined;
}

import type { Json } from './schemas.ts';

const text = { type: 'string' } as const;

/** Headers of requests, as parameters; by their names in `#/components/parameters`. */
export const PARAMETERS = {
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description:
      'ETag of an answer, as it came: the change is made only while the thing is as it was then, and refused with 412 otherwise. `*`: only where there is one',
    schema: text,
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: the change is made only where there is none yet, and refused with 412 otherwise',
    schema: { const: '*' },
  },
  Held: {
    name: 'If-None-Match',
    in: 'header',
    description:
      'ETag of what the caller has already: 304 where nothing differs since that an operator may change',
    schema: text,
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Made up by the caller, for this call: sent again under it within 24 hours, it is answered as before and not carried out again',
    schema: { ...text, pattern: '^[\\x21-\\x7e]{1,255}$' },
  },
  LastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description: '`id` of the last event that was read: the stream goes on behind it. It wins over `after`',
    schema: { ...text, pattern: '^\\d*$' },
  },
  Range: {
    name: 'Range',
    in: 'header',
    description: 'Such as `bytes=0-1023`',
    schema: text,
  },
} as const satisfies Readonly<Record<string, Json>>;

/** Headers of answers; by their names in `#/components/headers`. */
export const HEADERS = {
  RequestId: { description: "Under which the controller's log and events know the request", schema: text },
  ETag: { description: 'Differs where anything differs that an operator may change', schema: text },
  Link: {
    description:
      'Where there is a next page: `<…>; rel="next"` with the path and query that give it (RFC 8288)',
    schema: text,
  },
  IdempotentReplayed: {
    description: 'That the answer is the one given before under the same Idempotency-Key',
    schema: { const: 'true' },
  },
  RetryAfter: {
    description: 'Seconds after which it is worth asking again',
    schema: { type: 'integer', minimum: 0 },
  },
} as const satisfies Readonly<Record<string, Json>>;

export function parameterRef(name: keyof typeof PARAMETERS): Json {
  return { $ref: `#/components/parameters/${name}` };
}

export function headerRef(name: keyof typeof HEADERS): Json {
  return { $ref: `#/components/headers/${name}` };
}

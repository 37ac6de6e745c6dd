import type { z } from 'zod';

/** Who may call: anyone, an operator, a joined edge, either of both, or the holder of a join token. */
type Audience = 'anyone' | 'operator' | 'edge' | 'operator-or-edge' | 'join';

/** What has an entity tag. */
type Tagged =
  | 'assignment'
  | 'channels'
  | 'edge'
  | 'machine'
  | 'policy'
  | 'profile'
  | 'rollout'
  | 'rule'
  | 'segment';

/** What lists are made of that may grow; `told` where the result itself says what is next. */
type Paged =
  | 'dead-letter'
  | 'edge'
  | 'machine'
  | 'profile'
  | 'release'
  | 'reservation'
  | 'rollout'
  | 'segment'
  | 'told';

/**
 * One call as data: the server registers it, /openapi.json documents it, and the client is typed by it.
 * `bytes` bodies and results are streams of octets and have no schema.
 */
export interface Endpoint {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** With parameters in braces: `/v1/segments/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly audience: Audience;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType | 'bytes';
  readonly result: z.ZodType | 'bytes';
  /** Of octets: what they are. Left out where they are an artefact's, which may be asked for in ranges. */
  readonly mediaType?: 'application/json' | 'text/event-stream';
  /**
   * The list comes in pages where `limit` or `cursor` asks for them (`PageQuery`): Link (rel="next") leads to the next.
   */
  readonly paged?: Paged;
  /**
   * The thing that the call gives or changes has an entity tag: it comes as ETag, and a change that names it in
   * If-Match, or that there is none yet by `If-None-Match: *`, is made only while that is so. Who has it already and
   * names it in If-None-Match gets 304.
   */
  readonly tagged?: Tagged;
}

/** Whether an Idempotency-Key means something to a call: PUT and DELETE may be sent again anyway. */
export function isRepeatable({ method, audience, body, result }: Endpoint): boolean {
  return method === 'post' && audience === 'operator' && body !== 'bytes' && result !== 'bytes';
}

type Parsed<Schema, Otherwise> = Schema extends z.ZodType ? z.infer<Schema> : Otherwise;
type Sent<Schema, Otherwise> = Schema extends z.ZodType ? z.input<Schema> : Otherwise;

type Field<E extends Endpoint, Key extends keyof Endpoint> =
  E extends Record<Key, infer Value> ? Value : undefined;

/** What the server's handler gets, after every schema has been applied. */
export interface Call<E extends Endpoint> {
  readonly params: Parsed<Field<E, 'params'>, Record<string, never>>;
  readonly query: Parsed<Field<E, 'query'>, Record<string, never>>;
  readonly body: Parsed<Field<E, 'body'>, undefined>;
}

/** What the client passes; a part without a schema is left out, and one that needs nothing may be. */
export type Request<E extends Endpoint> = Part<'params', Sent<Field<E, 'params'>, undefined>> &
  Part<'query', Sent<Field<E, 'query'>, undefined>> &
  Part<'body', Sent<Field<E, 'body'>, undefined>>;

type Part<Key extends string, Value> = [Value] extends [undefined]
  ? { readonly [K in Key]?: undefined }
  : Record<string, never> extends Value
    ? { readonly [K in Key]?: Value }
    : { readonly [K in Key]: Value };

export type Result<E extends Endpoint> = Parsed<E['result'], never>;

/** `/v1/segments/{name}` and `{ name: 'a/b' }` to `/v1/segments/a%2Fb`. */
export function fillPath(path: string, params: Readonly<Record<string, unknown>> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

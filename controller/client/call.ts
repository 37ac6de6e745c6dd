import {
  type Client,
  type Endpoint,
  type Event,
  PAGE_MOST,
  type Request,
  type Result,
  type Call as ServerCall,
} from '@bootswarm/controller/contract';
import { followEvents } from './event-stream.ts';
import { Pages } from './pages.ts';

/** What goes with a call beside what it says. */
export interface CallSettings {
  /** Ends the call, and with it whatever goes on. */
  readonly signal?: AbortSignal;
  /** ETag of what was seen (`tagOf`): a change is made only while it is so, and refused as `changed_meanwhile` otherwise. */
  readonly ifMatch?: string | undefined;
  /** A change is made only where there is none yet. */
  readonly ifNone?: true;
  /** In the place of the key that is made for each call which makes something. */
  readonly idempotencyKey?: string;
}

/** `/v1/releases/{name}/{version}` to `['name', 'version']`. */
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? [Name, ...NamesIn<Rest>]
  : [];
type At<Record, Key> = Key extends keyof Record ? NonNullable<Record[Key]> : never;
type Arguments<Names extends readonly string[], Params> = {
  [Index in keyof Names]: At<Params, Names[Index]>;
};
type PathArguments<E extends Endpoint> = Arguments<NamesIn<E['path']>, At<Request<E>, 'params'>>;

/** The query, and the body: one that needs nothing may be left out. */
type Input<E extends Endpoint> = [
  ...(E['query'] extends object ? Part<Sharp<At<Request<E>, 'query'>, ServerCall<E>['query']>> : []),
  ...(E['body'] extends 'bytes'
    ? [bytes: AsyncIterable<Uint8Array>]
    : E['body'] extends object
      ? Part<At<Request<E>, 'body'>>
      : []),
];
/** A query may hold anything that becomes a number; here it is one. */
type Sharp<Sent, Parsed> = {
  [Key in keyof Sent]: unknown extends Sent[Key] ? At<Parsed, Key> : Sent[Key];
};
type Part<Value> = Record<string, never> extends Value ? [input?: Value] : [input: Value];

/** The things of a list, be it the answer itself or a field of it. */
type ItemOf<Answer> = Answer extends readonly (infer Item)[]
  ? Item
  : { [Key in keyof Answer]-?: Answer[Key] extends readonly (infer Item)[] ? Item : never }[keyof Answer];

type Outcome<E extends Endpoint> = E extends { mediaType: 'text/event-stream' }
  ? AsyncIterable<Event>
  : E extends { paged: string }
    ? Pages<ItemOf<Result<E>>>
    : E extends { result: 'bytes' }
      ? Promise<Response>
      : Promise<Result<E>>;

/** An endpoint as a function: the parameters of its path in their order, then query or body, then settings. */
export type Call<E extends Endpoint> = (
  ...args: [...PathArguments<E>, ...Input<E>, settings?: CallSettings]
) => Outcome<E>;

const tags = new WeakMap<object, string>();

/** The ETag with which a result came; undefined where it came with none, or is no result of a call. */
export function tagOf(result: object): string | undefined {
  return tags.get(result);
}

interface Parts {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** The function that calls an endpoint. Its types are those of `Call`. */
export function callOf(client: Client, endpoint: Endpoint): (...args: readonly unknown[]) => unknown {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return (...args) => {
    const rest = args.slice(names.length);
    const query = endpoint.query === undefined ? undefined : rest.shift();
    const body = endpoint.body === undefined ? undefined : rest.shift();
    const settings = (rest.shift() ?? {}) as CallSettings;
    const request: Parts = {
      ...(names.length === 0
        ? {}
        : { params: Object.fromEntries(names.map((name, at) => [name, args[at]])) }),
      ...(query === undefined ? {} : { query: query as Readonly<Record<string, unknown>> }),
      ...(endpoint.body === undefined || endpoint.body === 'bytes' ? {} : { body: body ?? {} }),
    };
    return carryOut(client, endpoint, request, body, settings);
  };
}

function carryOut(
  client: Client,
  endpoint: Endpoint,
  request: Parts,
  body: unknown,
  settings: CallSettings,
): unknown {
  const options = { headers: headersOf(settings), ...(settings.signal && { signal: settings.signal }) };
  if (endpoint.mediaType === 'text/event-stream')
    return followEvents(client, request.query ?? {}, settings.signal);
  if (endpoint.paged !== undefined)
    return new Pages(async (cursor) => {
      const place = cursor === undefined ? {} : { cursor };
      const query = { limit: PAGE_MOST, ...request.query, ...place };
      const { result, next } = await client.callTagged(endpoint, { ...request, query } as never, options);
      return { items: itemsOf(result), next };
    });
  if (endpoint.body === 'bytes')
    return client.send(endpoint as never, request as never, body as AsyncIterable<Uint8Array>, options);
  if (endpoint.result === 'bytes') return client.fetch(endpoint as never, request as never, options);
  return client.callTagged(endpoint, request as never, options).then(({ result, tag }) => {
    const isTagged = tag !== undefined && typeof result === 'object' && result !== null;
    if (isTagged) tags.set(result, tag);
    return result;
  });
}

function headersOf({ ifMatch, ifNone, idempotencyKey }: CallSettings): Readonly<Record<string, string>> {
  return {
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(ifNone === undefined ? {} : { 'if-none-match': '*' }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  };
}

function itemsOf(result: unknown): readonly unknown[] {
  return Array.isArray(result) ? result : (Object.values(result as object).find(Array.isArray) ?? []);
}

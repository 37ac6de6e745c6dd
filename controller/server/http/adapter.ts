import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Call,
  type Endpoint,
  isRepeatable,
  linkToNext,
  type PageAsked,
  problem,
  type Result,
} from '@bootswarm/controller/contract';
import type { Problem } from '@bootswarm/images/format';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { Actor } from '../access/tokens.ts';
import { onlyWhere } from '../store/condition.ts';
import type { KeptAnswers } from './kept-answers.ts';
import { cutPage } from './pages.ts';
import { conditionOf, namesTag, tagOf } from './tags.ts';

/** Enough for the manifest of a 1 TiB image in pieces of 1 MiB, which operators alone send. */
const OPERATOR_BODY_MOST_BYTES = 128 * 1024 * 1024;
/** Enough for a full journal batch. */
const EDGE_BODY_MOST_BYTES = 4 * 1024 * 1024;
/** A sender that is silent for longer is gone, though TCP may not know yet: the command line tries for 30 s. */
const SILENT_MS = 20_000;

export interface Env {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    actor: Actor | undefined;
    token: string | undefined;
    request: string;
    /** That the request is for; undefined where it is for none. */
    endpoint: Endpoint | undefined;
    answers: KeptAnswers | undefined;
  };
}

export type Api = Hono<Env>;

/** What a handler gets beside the parsed call. */
export interface Inside {
  readonly actor: Actor | undefined;
  /** As it was sent. */
  readonly token: string | undefined;
  /** Ends when the caller goes away. */
  readonly signal: AbortSignal;
  readonly node: HttpBindings;
}

/** Gives the result, or undefined where it answered on `inside.node.outgoing` by itself. */
type Handler<E extends Endpoint> = (
  call: Call<E>,
  inside: Inside,
) => Promise<E['result'] extends 'bytes' ? undefined : Result<E>>;

/** Serves an endpoint of the contract: who may call, what comes in and what goes out follow from its data. */
export function serve<E extends Endpoint>(api: Api, endpoint: E, handler: Handler<E>): void {
  const path = endpoint.path.replace(/\{(\w+)\}/g, ':$1');
  api.on(endpoint.method.toUpperCase(), path, async (c) => {
    c.set('endpoint', endpoint);
    requireAudience(endpoint, c.get('actor'));
    const call = {
      params: parse(endpoint.params, c.req.param()),
      query: parse(endpoint.query, c.req.query()),
      body: await readBody(endpoint, c),
    } as Call<E>;
    const [actor, token, node] = [c.get('actor'), c.get('token'), c.env];
    const inside = { actor, token, signal: goneSignal(node.outgoing as ServerResponse), node };
    const result = await conditional(endpoint, c, () => once(endpoint, c, call, () => handler(call, inside)));
    if (endpoint.result === 'bytes') return RESPONSE_ALREADY_SENT;
    // Tags tell less than answers do: no cache may show an old answer because its tag still holds.
    c.header('cache-control', 'no-store');
    if (endpoint.method === 'get' && isHeld(endpoint, c)) return c.body(null, 304);
    const page = cutPage(endpoint, result, (call.query ?? {}) as PageAsked);
    if (page.next !== undefined) c.header('link', linkToNext(c.req.url, page.next));
    return c.json(page.result as object);
  });
}

/** Carries out a call, or gives the answer that was given under its key. */
async function once<T>(
  endpoint: Endpoint,
  c: Context<Env>,
  call: Call<Endpoint>,
  act: () => Promise<T>,
): Promise<T> {
  const [key, token, answers] = [c.req.header('idempotency-key'), c.get('token'), c.get('answers')];
  if (key === undefined || token === undefined || !answers || !isRepeatable(endpoint)) return act();
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw problem('input_invalid', {
      field: 'idempotency-key',
      facts: { reason: 'must be 1 to 255 printable characters without blanks' },
    });
  const asked = JSON.stringify([endpoint.path, call]);
  const { answer, isKept } = await answers.once({ key, token, asked }, new Date(), act);
  if (isKept) c.header('idempotent-replayed', 'true');
  return answer;
}

/** Carries out a call on a thing that has an entity tag, where what the caller asks for holds; and tells its tag. */
async function conditional<T>(
  { tagged, method }: Endpoint,
  c: Context<Env>,
  act: () => Promise<T>,
): Promise<T> {
  if (tagged === undefined) return act();
  const asked = { ifMatch: c.req.header('if-match'), ifNoneMatch: c.req.header('if-none-match') };
  const condition = method === 'get' ? undefined : conditionOf(tagged, c.req.param(), asked);
  const result = await (condition ? onlyWhere(condition, act) : act());
  if (method !== 'delete') c.header('etag', tagOf(tagged, result as object));
  return result;
}

/** Whether the caller said that it has what comes. */
function isHeld({ tagged }: Endpoint, c: Context<Env>): boolean {
  const [held, tag] = [c.req.header('if-none-match'), c.res.headers.get('etag')];
  return tagged !== undefined && held !== undefined && tag !== null && namesTag(held, tag);
}

function goneSignal(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (outgoing.destroyed) gone.abort();
  else outgoing.once('close', () => gone.abort());
  return gone.signal;
}

function requireAudience({ audience }: Endpoint, actor: Actor | undefined): void {
  if (audience === 'anyone') return;
  if (!actor) throw problem(audience === 'join' ? 'join_token_refused' : 'token_missing');
  if (!audience.split('-or-').includes(actor.kind))
    throw problem('token_not_for_this', { facts: { kind: actor.kind, wanted: audience } });
}

/**
 * The bytes of a request's body. Who stops reading early leaves the connection open, so that the error reaches
 * the sender; getRequestListener then drains or ends it.
 */
export async function* bodyOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  incoming.setTimeout(SILENT_MS, () => incoming.destroy());
  try {
    yield* incoming.iterator({ destroyOnReturn: false });
  } finally {
    incoming.setTimeout(0);
  }
}

async function readBody(endpoint: Endpoint, c: Context<Env>): Promise<unknown> {
  if (endpoint.body === undefined || endpoint.body === 'bytes') return undefined;
  const most = endpoint.audience === 'operator' ? OPERATOR_BODY_MOST_BYTES : EDGE_BODY_MOST_BYTES;
  const incoming = c.env.incoming as IncomingMessage;
  const tooLarge = (): Problem => problem('body_too_large', { facts: { most } });
  // Whoever says so beforehand need not be heard out.
  if (Number(incoming.headers['content-length'] ?? 0) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bodyOf(incoming)) {
    length += chunk.length;
    if (length > most) throw tooLarge();
    chunks.push(chunk);
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw problem('body_not_json', { cause: error });
  }
  return parse(endpoint.body, json);
}

/** @throws Problem input_invalid, naming the first field that is wrong. */
function parse(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const field = z.core.toDotPath(path);
  const unknownKeys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const fieldOfKeys = unknownKeys[0] === undefined ? field : z.core.toDotPath([...path, unknownKeys[0]]);
  throw problem('input_invalid', {
    ...(fieldOfKeys === '' ? {} : { field: fieldOfKeys }),
    facts: { reason: issue?.message ?? 'the input is invalid' },
  });
}

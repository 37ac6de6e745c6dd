import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Endpoint,
  ERRORS,
  type ErrorCode,
  endpoints,
  problem,
  problemsOf,
  RETRY_AFTER_SECONDS,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import { type Actor, eventActorOf } from '../access/tokens.ts';
import { causedBy } from '../events/cause.ts';
import type { Api, Env } from './adapter.ts';
import type { KeptAnswers } from './kept-answers.ts';
import { openApiOf } from './openapi/document.ts';

export interface ApiOptions {
  readonly actorOf: (token: string) => Promise<Actor | undefined>;
  readonly answers: KeptAnswers;
  readonly log: Logger;
  readonly version: string;
}

/** The bare API: who calls, what errors look like, and the documents about itself. Routes are added by `routes.ts`. */
export function makeApi({ actorOf, answers, log, version }: ApiOptions): Api {
  const api = new Hono<Env>();

  api.use(async (c, next) => {
    const token = tokenOf(c.req.method, c.req.header('authorization'));
    c.set('token', token);
    c.set('answers', answers);
    const actor = token === undefined ? undefined : await actorOf(token);
    c.set('actor', actor);
    const request = randomUUID();
    c.set('request', request);
    c.header('x-request-id', request);
    // Nothing but health tells a stranger anything, not even which routes there are.
    if (!actor || token === undefined) {
      if (c.req.path === '/healthz') return next();
      throw problem(c.req.path === '/v1/join' ? 'join_token_refused' : 'token_missing');
    }
    return causedBy({ by: eventActorOf(actor, token), request }, next);
  });

  api.onError((error, c) => {
    const found = error instanceof Problem ? error : unexpected(error, c, log);
    if (!isDescribed(found, c.get('endpoint'))) log.warn({ path: c.req.path, code: found.code }, UNDESCRIBED);
    const status = found.status as ContentfulStatusCode;
    // Lets a browser ask for the token, as the password of any user.
    if (status === 401) c.header('www-authenticate', 'Basic realm="Bootswarm token"');
    const retryAfter = RETRY_AFTER_SECONDS[found.code as ErrorCode];
    if (retryAfter !== undefined) c.header('retry-after', String(retryAfter));
    return c.json({ error: found.toBody() }, status);
  });

  api.notFound((c) => {
    const facts = { method: c.req.method, path: c.req.path };
    return c.json({ error: problem('route_unknown', { facts }).toBody() }, 404);
  });

  addDocs(api, version);
  return api;
}

/** What is logged of a problem of the catalogue that /openapi.json does not tell of its call. */
export const UNDESCRIBED = 'the API document does not tell of this problem';

/** Of calls that were refused before it was known what they ask for, and of other catalogues, nothing is promised. */
function isDescribed({ code }: Problem, endpoint: Endpoint | undefined): boolean {
  return endpoint === undefined || !(code in ERRORS) || problemsOf(endpoint).includes(code as ErrorCode);
}

/**
 * The token as a bearer, or as the password of any user. A browser adds the latter to requests that other
 * sites make, so that it serves for reading alone.
 */
function tokenOf(method: string, header: string | undefined): string | undefined {
  const [scheme = '', credentials = ''] = (header ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() === 'basic' && ['GET', 'HEAD'].includes(method))
    return Buffer.from(credentials, 'base64').toString().split(':').slice(1).join(':');
  return undefined;
}

function unexpected(error: Error, c: Context<Env>, log: Logger): Problem {
  if (isDiskFull(error)) return problem('disk_full', { facts: { where: 'the controller' }, cause: error });
  const request = c.get('request');
  const what = { request, method: c.req.method, path: c.req.path, err: error };
  // Nobody reads the answer then, and nothing is wrong here.
  if (c.env.incoming.destroyed && !c.env.incoming.readableEnded) log.debug(what, 'the caller went away');
  else log.error(what, 'request failed');
  return problem('internal', { facts: { reason: error.message, request }, cause: error });
}

function isDiskFull(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT';
}

/** /openapi.json and a page that shows it, from files of ours alone. */
function addDocs(api: Api, version: string): void {
  // It takes a quarter of a second to make, and most controllers are never asked for it.
  let document: string | undefined;
  api.get('/openapi.json', (c) => {
    document ??= JSON.stringify(openApiOf(endpoints, version));
    return c.body(document, 200, { 'content-type': 'application/json' });
  });
  const folder = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
  const assets = {
    'swagger-ui.css': 'text/css',
    'swagger-ui-bundle.js': 'text/javascript',
  };
  for (const [name, type] of Object.entries(assets)) {
    const bytes = readFileSync(join(folder, name));
    api.get(`/docs/${name}`, (c) => c.body(bytes, 200, { 'content-type': type }));
  }
  api.get('/docs/start.js', (c) =>
    c.body("SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs' });", 200, {
      'content-type': 'text/javascript',
    }),
  );
  api.get('/docs', (c) =>
    c.html(
      '<!doctype html><meta charset="utf-8"><title>Bootswarm API</title>' +
        '<link rel="stylesheet" href="/docs/swagger-ui.css"><div id="docs"></div>' +
        '<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>',
    ),
  );
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeAnnounceRefusal, Problem } from '@bootswarm/images/format';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { RETRY_SECONDS, type Torrents } from './torrents.ts';
import type { Announcer, Tracker } from './tracker.ts';

type Bindings = { readonly Bindings: HttpBindings };

/** What the peers of swarms ask an edge for. */
export interface SwarmService {
  readonly tracker: Pick<Tracker, 'announce'>;
  readonly torrents: Pick<Torrents, 'find'>;
}

const ANNOUNCE = '/announce?';

export function isAnnounce({ method, url }: IncomingMessage): boolean {
  return method === 'GET' && url !== undefined && url.startsWith(ANNOUNCE);
}

/**
 * Answers an announce, apart from the other routes: Hono halves the rate, and the infohash is bytes, which no URL parser
 * takes for text unharmed. A refusal is an answer as any other, since clients show its reason and not that of another
 * status (BEP 3).
 */
export function answerAnnounce(
  tracker: SwarmService['tracker'],
  { url = '' }: IncomingMessage,
  outgoing: ServerResponse,
  announcer: Announcer,
): void {
  const body = bodyFor(() => tracker.announce(url.slice(ANNOUNCE.length), announcer));
  outgoing.writeHead(200, {
    'content-type': 'text/plain',
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  // As text it leaves in one write with its headers: a sixth more answers in the same time.
  outgoing.end(Buffer.from(body).toString('latin1'), 'latin1');
}

function bodyFor(announce: () => Uint8Array): Uint8Array {
  try {
    return announce();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return encodeAnnounceRefusal(`${error.message}. ${error.remedy}`);
  }
}

/** Metadata for BitTorrent clients that have no manifest. @param whoAsks tells the edge's URL as he reached it. */
export function torrentRoutes(
  torrents: SwarmService['torrents'],
  whoAsks: (c: Context<Bindings>) => { readonly httpUrl: string },
): Hono<Bindings> {
  const app = new Hono<Bindings>();

  app.get('/torrents/:file', (c) => {
    const [, sha256] = /^([0-9a-f]{64})\.torrent$/.exec(c.req.param('file')) ?? [];
    if (sha256 === undefined) return c.notFound();
    const bytes = torrents.find(sha256, whoAsks(c).httpUrl);
    return c.body(new Uint8Array(bytes), 200, {
      'content-type': 'application/x-bittorrent',
      'cache-control': 'no-cache',
    });
  });

  app.onError((error, c) => {
    if (!(error instanceof Problem)) throw error;
    const retry = error.status === 503 ? { 'retry-after': String(RETRY_SECONDS) } : {};
    return c.text(`${error.message}. ${error.remedy}\n`, error.status as ContentfulStatusCode, retry);
  });

  return app;
}

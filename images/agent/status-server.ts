import { createServer, type Server } from 'node:http';
import type { StatusView } from './status.ts';
import { renderStatusPage } from './status-page.ts';

export const STATUS_PORT = 8481;
const CONNECTIONS_MOST = 32;
const TIMEOUT_MS = 10_000;

/** Serves `/` as HTML and `/status.json`. It only tells: no request changes anything. */
export async function startStatusServer(view: () => StatusView, port = STATUS_PORT): Promise<Server> {
  const server = createServer(
    { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, keepAliveTimeout: 1_000 },
    ({ method, url }, response) => {
      const isJson = url === '/status.json';
      if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
      else if (!isJson && url !== '/') response.writeHead(404).end('not found\n');
      else {
        const body = isJson ? `${JSON.stringify(view(), undefined, 2)}\n` : renderStatusPage(view());
        const type = isJson ? 'application/json' : 'text/html; charset=utf-8';
        response.writeHead(200, {
          'content-type': type,
          'content-length': Buffer.byteLength(body),
          'cache-control': 'no-store',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        });
        response.end(method === 'HEAD' ? undefined : body);
      }
    },
  );
  server.maxConnections = CONNECTIONS_MOST;
  server.setTimeout(TIMEOUT_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '0.0.0.0' }, resolve);
  });
  return server;
}

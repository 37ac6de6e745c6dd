import { type FileSender, sendBytes, sendFile } from '@bootswarm/images/swarm';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { Answers } from './answers.ts';
import type { Trees } from './trees.ts';

type Bindings = { readonly Bindings: HttpBindings };

/** What installers fetch from this edge. */
export interface InstallerDesk {
  readonly answers: Pick<Answers, 'find' | 'installed' | 'tookOfTree'>;
  readonly trees: Pick<Trees, 'find'>;
}

/** Who asks, and the edge's own URL as he reached it. */
export type WhoAsks = (c: Context<Bindings>) => { readonly address: string; readonly httpUrl: string };

/** Answer files, one machine's each, the trees that installers take their packages from, and their report at the end. */
export function installerRoutes(
  { answers, trees }: InstallerDesk,
  whoAsks: WhoAsks,
  sender?: FileSender,
): Hono<Bindings> {
  const app = new Hono<Bindings>();

  app.get('/answers/:ticket/:name', async (c) => {
    const { ticket, name } = c.req.param();
    const found = answers.find(ticket, name, whoAsks(c));
    if ('status' in found) return c.text(`${found.text}\n`, found.status);
    const { incoming, outgoing } = c.env;
    const isHead = incoming.method === 'HEAD';
    if (!isHead) await found.begin();
    const bytes = new Uint8Array(Buffer.from(found.text));
    const what = { bytes, sha256: found.sha256, contentType: 'text/plain; charset=utf-8', changes: true };
    const sent = await sendBytes(incoming, outgoing, what);
    if (!isHead) await found.end(sent.complete);
    return RESPONSE_ALREADY_SENT;
  });

  app.get('/installed/:ticket', async (c) => {
    const told = await answers.installed(c.req.param('ticket'), whoAsks(c));
    return c.text('text' in told ? `${told.text}\n` : 'noted\n', told.status);
  });

  app.get('/trees/*', async (c) => {
    const { incoming, outgoing } = c.env;
    // As it was sent: whatever a URL parser would make of `..` is no path of a tree.
    const [path = ''] = (incoming.url ?? '').replace(/^https?:\/\/[^/]+/, '').split('?');
    const found = await trees.find(path.slice('/trees/'.length));
    switch (found.kind) {
      case 'none':
        return c.notFound();
      case 'moved':
        return c.redirect(`${path}/`, 301);
      case 'folder':
        return c.html(found.html);
      case 'file': {
        const { address } = whoAsks(c);
        const sent = await sendFile(incoming, outgoing, { ...found, sender });
        if (sent.complete) answers.tookOfTree(address, path.slice(1));
        return RESPONSE_ALREADY_SENT;
      }
    }
  });

  return app;
}

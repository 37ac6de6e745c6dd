import { createServer, type Server } from 'node:http';
import { Mac, Uuid } from '@bootswarm/controller/contract';
import { sendBytes, sendFile } from '@bootswarm/images/swarm';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import { problem } from '../problems.ts';
import type { ScriptCaller, Servable } from '../state/serving.ts';
import type { Counters } from './counters.ts';

/**
 * Idle connections, and those whose request does not come, are closed after this; iPXE and EDK2 both ask again
 * within seconds. With Node's looking every other second that makes 15 s at most.
 */
const IDLE_MS = 12_000;
const LOOK_MS = 2_000;
/** A client that takes nothing of its answer for this long is given up. */
const STALLED_MS = 60_000;

export interface HttpService {
  readonly port: number;
  /** The script for a machine; undefined where no segment of this edge has the caller's address. */
  readonly scriptFor: (caller: ScriptCaller) => string | undefined;
  readonly firmwareOf: (name: string) => Uint8Array | undefined;
  readonly artefactOf: (sha256: string, name: string) => Servable | undefined;
  /** Told how the transfer of an artefact ended. */
  readonly onSent: (clientAddress: string, artefact: Servable, sent: Sent) => void;
  readonly counters: Counters;
  readonly log: Logger;
}

interface Sent {
  readonly bytes: number;
  readonly complete: boolean;
}

type Bindings = { readonly Bindings: HttpBindings };

/** Serves scripts, firmware and artefacts to machines: public bytes, no token. @throws Problem port_in_use */
export async function startHttpServer(service: HttpService): Promise<Server> {
  const app = makeApp(service);
  const server = createServer(
    {
      keepAliveTimeout: IDLE_MS,
      headersTimeout: IDLE_MS,
      requestTimeout: IDLE_MS,
      connectionsCheckingInterval: LOOK_MS,
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.setTimeout(STALLED_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const facts = {
        protocol: 'TCP',
        port: service.port,
        address: '0.0.0.0',
        orElse: ', or choose another with --http-port',
      };
      reject(error.code === 'EADDRINUSE' ? problem('port_in_use', { facts, cause: error }) : error);
    });
    server.listen(service.port, '0.0.0.0', resolve);
  });
  return server;
}

function makeApp(service: HttpService): Hono<Bindings> {
  const app = new Hono<Bindings>();

  app.get('/healthz', (c) => c.json({ status: 'ok', counters: service.counters }));

  app.get('/boot.ipxe', (c) => {
    const mac = Mac.safeParse(c.req.query('mac') ?? '');
    if (!mac.success) return c.text('mac: must be a MAC address\n', 400);
    const uuid = Uuid.safeParse(c.req.query('uuid') ?? '').data;
    const { localAddress = '', localPort = service.port } = c.env.incoming.socket;
    const httpUrl = `http://${plainIpv4(localAddress)}:${localPort}`;
    const script = service.scriptFor({ address: clientOf(c), mac: mac.data, uuid, httpUrl });
    if (script === undefined) return c.text('no segment of this edge has your address\n', 404);
    return c.text(script, 200, { 'cache-control': 'no-store' });
  });

  app.get('/firmware/:name', (c) => {
    const bytes = service.firmwareOf(c.req.param('name'));
    if (!bytes) return c.notFound();
    // EDK2 asks for the length by HEAD before it fetches.
    return c.body(new Uint8Array(bytes), 200, {
      'content-type': 'application/efi',
      'content-length': String(bytes.length),
    });
  });

  app.get('/artefacts/:sha256/:name', async (c) => {
    const { sha256, name } = c.req.param();
    const artefact = service.artefactOf(sha256, name);
    if (!artefact) return c.notFound();
    const { incoming, outgoing } = c.env;
    // A socket that was closed after its last byte has forgotten whose it was.
    const client = clientOf(c);
    const sent = artefact.bytes
      ? await sendBytes(incoming, outgoing, { bytes: artefact.bytes, sha256 })
      : await sendFile(incoming, outgoing, { path: artefact.path, sha256 });
    // HEAD, 304 and 416 send nothing of it.
    if (sent.bytes > 0 || !sent.complete) service.onSent(client, artefact, sent);
    return RESPONSE_ALREADY_SENT;
  });

  app.notFound((c) => {
    service.counters.count('http not found');
    return c.text('not found\n', 404);
  });
  app.onError((error, c) => {
    service.log.error({ err: error, path: c.req.path }, 'an HTTP request failed');
    return c.text('the edge failed\n', 500);
  });
  return app;
}

function clientOf(c: Context<Bindings>): string {
  return plainIpv4(c.env.incoming.socket.remoteAddress ?? '');
}

/** A socket of both families writes IPv4 addresses as `::ffff:10.1.2.3`. */
function plainIpv4(address: string): string {
  return address.replace(/^::ffff:/, '');
}

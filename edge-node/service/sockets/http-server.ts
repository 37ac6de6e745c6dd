import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Mac, Uuid } from '@bootswarm/controller/contract';
import { type FileSender, sendBytes, sendFile } from '@bootswarm/images/swarm';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import { type AgentService, agentRoutes, isForAgents } from '../agents/routes.ts';
import { type InstallerDesk, installerRoutes } from '../installers/routes.ts';
import { noCloudRoutes } from '../nocloud/routes.ts';
import type { NoCloudSeeds } from '../nocloud/seeds.ts';
import { problem } from '../problems.ts';
import type { ScriptCaller, Servable } from '../state/serving.ts';
import { answerAnnounce, isAnnounce, type SwarmService, torrentRoutes } from '../swarm/routes.ts';
import type { Counters } from './counters.ts';
import { announcesBody, type ConnectionCaps, capConnections, refuseBody } from './http-limits.ts';

/**
 * Idle connections, and those whose request does not come, are closed after this; iPXE and EDK2 both ask again
 * within seconds. With Node's looking every second that makes 9 s, and 15 s at most where the host is busy: under
 * 2,000 slow connections on two shared cores it was 4 s late.
 */
const IDLE_MS = 8_000;
const LOOK_MS = 1_000;
/** A client that takes nothing of its answer for this long is given up. */
const STALLED_MS = 60_000;
/** After which a machine asks again for what is on its way to this edge. */
const COMING_SECONDS = 5;
/**
 * A machine boots with one or two connections, and 1,000 may be powered on at once. A connection costs about 40 KB.
 */
const CONNECTION_CAPS: ConnectionCaps = { inAll: 4096, perAddress: 64 };

export interface HttpService {
  readonly port: number;
  /** The script for a machine; undefined where no segment of this edge has the caller's address. */
  readonly scriptFor: (caller: ScriptCaller) => Promise<string | undefined>;
  readonly firmwareOf: (name: string) => Uint8Array | undefined;
  readonly artefactOf: (id: string, name: string) => Servable | undefined;
  /** Whether an artefact is on its way here. */
  readonly isComing: (id: string, name: string) => boolean;
  /** Signed metadata, and what it vouches for, by the paths of TUF. */
  readonly trustFileOf: (name: string) => string | undefined;
  readonly agents: AgentService;
  readonly installers: InstallerDesk;
  readonly noCloud: Pick<NoCloudSeeds, 'find'>;
  readonly swarm: SwarmService;
  /** Who sends files; where there is nobody they are copied through this process. */
  readonly sender?: FileSender | undefined;
  /** Told how the transfer of an artefact ended. */
  readonly onSent: (clientAddress: string, artefact: Servable, sent: Sent) => void;
  /** Told that an artefact was asked for in vain. */
  readonly onAbsent: (clientAddress: string, id: string, name: string) => void;
  /** Told that a boot file was sent whole, or asked for in vain. */
  readonly onFirmware: (clientAddress: string, name: string, found: boolean) => void;
  readonly counters: Counters;
  /** What it does, as Prometheus reads it. */
  readonly metrics: () => string;
  readonly log: Logger;
}

interface Sent {
  readonly bytes: number;
  readonly complete: boolean;
}

type Bindings = { readonly Bindings: HttpBindings };

/** Serves scripts, firmware and artefacts to machines: public bytes, no token. @throws Problem port_in_use */
export async function startHttpServer(service: HttpService): Promise<Server> {
  const answer = getRequestListener(makeApp(service).fetch, { overrideGlobalObjects: false });
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (announcesBody(incoming) && !isForAgents(incoming.method, incoming.url))
      refuseBody(incoming, outgoing);
    else if (isAnnounce(incoming)) announce(service, incoming, outgoing);
    else void answer(incoming, outgoing);
  };
  const server = createServer(
    {
      keepAliveTimeout: IDLE_MS,
      headersTimeout: IDLE_MS,
      requestTimeout: IDLE_MS,
      connectionsCheckingInterval: LOOK_MS,
    },
    listener,
  );
  // Without this Node would ask for the body that is about to be refused.
  server.on('checkContinue', listener);
  server.setTimeout(STALLED_MS);
  capConnections(server, CONNECTION_CAPS, (cap) =>
    service.counters.count(`http connection refused: too many ${cap}`),
  );
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
    const { inAll: backlog } = CONNECTION_CAPS;
    server.listen({ port: service.port, host: '0.0.0.0', backlog }, resolve);
  });
  return server;
}

function announce({ swarm, log }: HttpService, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { localAddress = '' } = incoming.socket;
  const announcer = { address: clientOf(incoming), edgeAddress: plainIpv4(localAddress) };
  try {
    answerAnnounce(swarm.tracker, incoming, outgoing, announcer);
  } catch (error) {
    log.error({ err: error }, 'an announce failed');
    outgoing.writeHead(500).end();
  }
}

function makeApp(service: HttpService): Hono<Bindings> {
  const app = new Hono<Bindings>();

  app.get('/healthz', (c) => c.json({ status: 'ok', counters: service.counters }));

  app.get('/metrics', (c) =>
    c.body(service.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );

  app.get('/boot.ipxe', async (c) => {
    const mac = Mac.safeParse(c.req.query('mac') ?? '');
    if (!mac.success) return c.text('mac: must be a MAC address\n', 400);
    const uuid = Uuid.safeParse(c.req.query('uuid') ?? '').data;
    const entry = Number(c.req.query('entry') ?? Number.NaN);
    const pick = Number.isInteger(entry) ? { pick: { entry, password: c.req.query('password') ?? '' } } : {};
    const script = await service.scriptFor({ ...whoAsks(c), mac: mac.data, uuid, ...pick });
    if (script === undefined) return c.text('no segment of this edge has your address\n', 404);
    return c.text(script, 200, { 'cache-control': 'no-store' });
  });

  app.get('/firmware/:name', async (c) => {
    const name = c.req.param('name');
    const client = clientOf(c.env.incoming);
    const bytes = service.firmwareOf(name);
    if (!bytes) {
      service.onFirmware(client, name, false);
      return c.notFound();
    }
    const { incoming, outgoing } = c.env;
    // EDK2 takes what is called so for a program, and asks for its length by HEAD first.
    const contentType = 'application/efi';
    const what = { bytes, sha256: sha256Of(bytes), contentType, changes: true };
    const sent = await sendBytes(incoming, outgoing, what);
    if (sent.complete && sent.bytes === bytes.length) service.onFirmware(client, name, true);
    return RESPONSE_ALREADY_SENT;
  });

  app.get('/artefacts/:id/:name', async (c) => {
    const { id, name } = c.req.param();
    const artefact = service.artefactOf(id, name);
    if (!artefact) service.onAbsent(clientOf(c.env.incoming), id, name);
    if (!artefact && service.isComing(id, name)) {
      const header = { 'retry-after': String(COMING_SECONDS), 'cache-control': 'no-store' };
      return c.text('this edge does not have all of it yet\n', 503, header);
    }
    if (!artefact) return c.notFound();
    const { sha256 } = artefact;
    const { incoming, outgoing } = c.env;
    // A socket that was closed after its last byte has forgotten whose it was.
    const client = clientOf(incoming);
    const { sender } = service;
    const sent = await sendFile(incoming, outgoing, { path: artefact.path, sha256, sender });
    // HEAD, 304 and 416 send nothing of it.
    if (sent.bytes > 0 || !sent.complete) service.onSent(client, artefact, sent);
    return RESPONSE_ALREADY_SENT;
  });

  app.get('/trust/*', (c) => {
    const text = service.trustFileOf(c.req.path.slice('/trust/'.length));
    if (text === undefined) return c.notFound();
    return c.text(text, 200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
  });

  app.route('/', agentRoutes(service.agents, whoAsks));
  app.route('/', installerRoutes(service.installers, whoAsks, service.sender));
  app.route('/', noCloudRoutes(service.noCloud, whoAsks));
  app.route('/', torrentRoutes(service.swarm.torrents, whoAsks));

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

const hashes = new WeakMap<Uint8Array, string>();

/** Boot files stay the same as long as they are held, and each is hashed once. */
function sha256Of(bytes: Uint8Array): string {
  const known = hashes.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
  hashes.set(bytes, known);
  return known;
}

/** Whoever asks, and the URL of this edge by the address at which he reached it. */
function whoAsks(c: Context<Bindings>): { readonly address: string; readonly httpUrl: string } {
  const { localAddress = '', localPort = 0 } = c.env.incoming.socket;
  return { address: clientOf(c.env.incoming), httpUrl: `http://${plainIpv4(localAddress)}:${localPort}` };
}

function clientOf({ socket }: IncomingMessage): string {
  return plainIpv4(socket.remoteAddress ?? '');
}

/** A socket of both families writes IPv4 addresses as `::ffff:10.1.2.3`. */
function plainIpv4(address: string): string {
  return address.replace(/^::ffff:/, '');
}

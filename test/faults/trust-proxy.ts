/**
 * Stands between an edge and its controller, as whoever took the controller over: it hands out desired states of its
 * own making, under a key of its own that it gave the edge when that joined, and other metadata and artefacts.
 * Argv: port, the controller's URL, the file of rules, which is read for every request.
 */
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSigningKey, type Signed, signText } from '@bootswarm/images/format';

export interface ProxyRules {
  /** Of the desired state: what changes it must count it up. */
  readonly revision: number;
  /** Laid over the desired state of the controller. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Holds the metadata that is served; an empty file is served without end. */
  readonly metadata: string;
  /** Whether one bit of every artefact is changed on its way; which one is told. */
  readonly flips: boolean;
}

const WAIT_MS = 10_000;
const LOOK_MS = 50;

const [port = '', controllerUrl = '', rulesFile = ''] = process.argv.slice(2);
const key = makeSigningKey();

function rulesNow(): ProxyRules {
  return JSON.parse(readFileSync(rulesFile, 'utf8')) as ProxyRules;
}

createServer((incoming, outgoing) => {
  answer(incoming, outgoing).catch((error: unknown) => {
    console.log(`failed ${incoming.url}: ${error}`);
    outgoing.destroy();
  });
}).listen(Number(port), () => console.log('proxy is up'));

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', controllerUrl);
  if (pathname.startsWith('/v1/trust/files/'))
    return sendMetadata(pathname.slice('/v1/trust/files/'.length), outgoing);
  if (pathname === '/v1/edge/desired-state') {
    const after = Number(searchParams.get('after'));
    for (let waited = 0; rulesNow().revision <= after && waited < WAIT_MS; waited += LOOK_MS)
      await sleep(LOOK_MS);
    const { revision, state } = rulesNow();
    const response = await forward(incoming, `${pathname}?after=-1&waitSeconds=0`);
    const signed = (await response.json()) as Signed;
    const changed = { ...JSON.parse(signed.payload), ...state, revision };
    const body = revision <= after ? null : signText(JSON.stringify(changed), key.privateKey);
    return sendJson(outgoing, body);
  }
  // All bytes are to come by HTTP, where they are changed, as from a controller that knows of no swarm between edges.
  if (pathname === '/v1/edge/swarm') {
    const error = { code: 'route_unknown', message: 'no such route', remedy: '' };
    return sendJson(outgoing, { error }, 404);
  }
  const response = await forward(incoming, incoming.url ?? '/');
  if (pathname === '/v1/join') {
    const credentials = (await response.json()) as object;
    return sendJson(outgoing, { ...credentials, controllerKey: key.publicKey });
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  if (rulesNow().flips && pathname.startsWith('/v1/artefacts/') && bytes.length > 0) {
    const bit = Math.floor(Math.random() * bytes.length * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    console.log(`flipped ${pathname} ${bit}`);
  }
  const type = response.headers.get('content-type') ?? 'application/octet-stream';
  outgoing.writeHead(response.status, { 'content-type': type, 'content-length': bytes.length });
  outgoing.end(bytes);
}

async function forward(incoming: IncomingMessage, path: string): Promise<Response> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const { authorization = '', 'content-type': type = '', range } = incoming.headers;
  return fetch(new URL(path, controllerUrl), {
    method: incoming.method ?? 'GET',
    headers: { authorization, 'content-type': type, ...(range === undefined ? {} : { range }) },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
}

async function sendMetadata(name: string, outgoing: ServerResponse): Promise<void> {
  const file = join(rulesNow().metadata, name);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    const error = { code: 'trust_file_unknown', message: `no ${name}`, remedy: '' };
    return sendJson(outgoing, { error }, 404);
  }
  const bytes = readFileSync(file);
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  if (bytes.length > 0) {
    outgoing.end(bytes);
    return;
  }
  const blanks = Buffer.alloc(64 * 1024, ' ');
  while (!outgoing.destroyed) {
    if (!outgoing.write(blanks))
      await Promise.race([
        new Promise((resolve) => outgoing.once('drain', resolve)),
        new Promise((resolve) => outgoing.once('close', resolve)),
      ]);
  }
  console.log(`cut off ${name}`);
}

function sendJson(outgoing: ServerResponse, body: unknown, status = 200): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(body));
}

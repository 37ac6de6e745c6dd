import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptCaller, Servable } from '../state/serving.ts';
import { PATH_ESCAPES } from '../testing/path-escapes.ts';
import { quietHttpService } from '../testing/quiet-http-service.ts';
import { Counters } from './counters.ts';
import { startHttpServer } from './http-server.ts';

const firmware = Uint8Array.from({ length: 5000 }, (_, at) => at % 251);
const root = Uint8Array.from({ length: 2_000_000 }, (_, at) => (at * 13 + (at >> 8)) % 256);
const SHA256 = 'c'.repeat(64);
const ARTEFACT = `/artefacts/${SHA256}/root.squashfs`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Bench {
  readonly server: Server;
  readonly port: number;
  readonly counters: Counters;
  readonly callers: ScriptCaller[];
  /** What was told of transfers. */
  readonly sent: string[];
  /** What reached the tracker. */
  readonly announces: string[];
  /** Sends the path as it stands, as no URL parser would. */
  readonly ask: (path: string, headers?: Record<string, string>, method?: string) => Promise<Answer>;
}

async function withServer(run: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-http-'));
  await writeFile(join(folder, 'root'), root);
  const counters = new Counters();
  const callers: ScriptCaller[] = [];
  const sent: string[] = [];
  const announces: string[] = [];
  const artefact: Servable = { sha256: SHA256, path: join(folder, 'root'), role: 'root' };
  const quiet = quietHttpService();
  const server = await startHttpServer({
    ...quiet,
    scriptFor: async (caller) => {
      callers.push(caller);
      return caller.mac.startsWith('52:54:00') ? '#!ipxe\necho hello\n' : undefined;
    },
    firmwareOf: (name) => new Map([['snponly.efi', firmware]]).get(name),
    swarm: {
      ...quiet.swarm,
      tracker: {
        announce: (query, { address, edgeAddress }) => {
          announces.push(`${address} at ${edgeAddress}: ${query}`);
          if (query === 'fail') throw new Error('on purpose');
          return Buffer.from('d5:peers3:a\xffbe', 'latin1');
        },
      },
    },
    artefactOf: (sha256, name) => (sha256 === SHA256 && name === 'root.squashfs' ? artefact : undefined),
    isComing: (_, name) => name === 'coming.squashfs',
    onSent: (address, { role }, { bytes, complete }) => sent.push(`${address} ${role} ${bytes} ${complete}`),
    onAbsent: (address, id, name) => sent.push(`${address} has not ${id.slice(0, 4)}/${name}`),
    onFirmware: (address, name, found) => sent.push(`${address} ${name} ${found}`),
    counters,
  });
  const { port } = server.address() as AddressInfo;
  const ask: Bench['ask'] = (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, headers, method, agent: false });
      request.once('error', reject);
      request.once('response', async (response) => {
        const body = await buffer(response);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
      request.end();
    });
  try {
    await run({ server, port, counters, callers, sent, announces, ask });
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  }
}

/** A client has all of its answer a moment before the server knows. */
async function toldOnce(sent: readonly string[]): Promise<readonly string[]> {
  for (let tries = 0; tries < 500 && sent.length === 0; tries++) await sleep(10);
  return sent;
}

describe('scripts', () => {
  test('are for the machine that the query names, by whatever writing of its MAC', () =>
    withServer(async ({ ask, callers, port }) => {
      const uuid = '11111111-2222-3333-4444-555555555555';
      const answer = await ask(`/boot.ipxe?mac=52-54-00-AA-00-01&uuid=${uuid.toUpperCase()}&platform=efi`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), '#!ipxe\necho hello\n');
      assert.equal(answer.headers['cache-control'], 'no-store');
      const httpUrl = `http://127.0.0.1:${port}`;
      assert.deepEqual(callers, [{ address: '127.0.0.1', mac: '52:54:00:aa:00:01', uuid, httpUrl }]);
    }));

  test('are for a machine without a UUID, too', () =>
    withServer(async ({ ask, callers }) => {
      assert.equal((await ask('/boot.ipxe?mac=52:54:00:aa:00:01&uuid=')).status, 200);
      assert.equal(callers[0]?.uuid, undefined);
    }));

  for (const [name, path, status] of [
    ['without a MAC', '/boot.ipxe', 400],
    ['with a MAC that is none', '/boot.ipxe?mac=52:54', 400],
    ['of a machine in no segment of this edge', '/boot.ipxe?mac=00:00:00:00:00:01', 404],
  ] as const)
    test(`are refused ${name}`, () =>
      withServer(async ({ ask }) => assert.equal((await ask(path)).status, status)));
});

describe('files', () => {
  test('firmware comes whole, and its length by HEAD before', () =>
    withServer(async ({ ask, sent }) => {
      const head = await ask('/firmware/snponly.efi', {}, 'HEAD');
      assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '5000', 0]);
      const { status, body, headers } = await ask('/firmware/snponly.efi');
      assert.deepEqual([status, headers['content-length']], [200, '5000']);
      assert.deepEqual(new Uint8Array(body), firmware);
      assert.equal((await ask('/firmware/none.efi')).status, 404);
      assert.deepEqual(sent, ['127.0.0.1 snponly.efi true', '127.0.0.1 none.efi false']);
    }));

  test('firmware has a strong ETag, ranges, and a cache that asks again', () =>
    withServer(async ({ ask }) => {
      const path = '/firmware/snponly.efi';
      const { headers } = await ask(path);
      const etag = `"${createHash('sha256').update(firmware).digest('hex')}"`;
      assert.deepEqual(
        [headers.etag, headers['content-type'], headers['cache-control']],
        [etag, 'application/efi', 'no-cache'],
      );
      assert.equal((await ask(path, { 'if-none-match': etag })).status, 304);
      const part = await ask(path, { range: 'bytes=4000-', 'if-range': etag });
      assert.equal(part.status, 206);
      assert.deepEqual(new Uint8Array(part.body), firmware.subarray(4000));
    }));

  test('the connection stays open between HEAD and GET: a FIN there breaks EDK2 (quirk 27)', () =>
    withServer(async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      const answers = [];
      for (const method of ['HEAD', 'GET']) {
        socket.write(`${method} /firmware/snponly.efi HTTP/1.1\r\nhost: edge\r\n\r\n`);
        const [first] = (await once(socket, 'data')) as [Buffer];
        answers.push(first.toString('latin1').split('\r\n')[0]);
      }
      assert.deepEqual(answers, ['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']);
      socket.destroy();
    }));

  test('an artefact comes whole, and that is told', () =>
    withServer(async ({ ask, sent }) => {
      const { status, body, headers } = await ask(ARTEFACT);
      assert.equal(status, 200);
      assert.ok(body.equals(root));
      assert.equal(headers.etag, `"${SHA256}"`);
      assert.deepEqual(await toldOnce(sent), ['127.0.0.1 root 2000000 true']);
    }));

  const ranges: readonly (readonly [range: string, status: number, from: number, to: number])[] = [
    ['bytes=0-99', 206, 0, 100],
    ['bytes=1000000-', 206, 1_000_000, 2_000_000],
    ['bytes=-5', 206, 1_999_995, 2_000_000],
    ['bytes=1999999-5000000', 206, 1_999_999, 2_000_000],
    ['bytes=0-99,3000000-', 206, 0, 100],
    ['bytes=0-9,5-6', 200, 0, 2_000_000],
    ['lines=1-2', 200, 0, 2_000_000],
    ['bytes=2000000-', 416, 0, 0],
  ];
  for (const [range, status, from, to] of ranges)
    test(`the range ${range} of an artefact is answered ${status}`, () =>
      withServer(async ({ ask }) => {
        const answer = await ask(ARTEFACT, { range });
        assert.equal(answer.status, status);
        assert.ok(answer.body.equals(root.subarray(from, to)), `${answer.body.length} bytes`);
      }));

  test('several ranges come in one answer, and all of it is told', () =>
    withServer(async ({ ask, sent }) => {
      const { status, headers, body } = await ask(ARTEFACT, { range: 'bytes=0-9,1000000-1999999' });
      assert.equal(status, 206);
      assert.match(headers['content-type'] ?? '', /^multipart\/byteranges; boundary=/);
      assert.equal(headers['content-length'], String(body.length));
      assert.ok(body.includes(Buffer.from(root.subarray(1_000_000))));
      assert.deepEqual(await toldOnce(sent), [`127.0.0.1 root ${body.length} true`]);
    }));

  test('nothing is told of HEAD, of what the client has, and of what it cannot have', () =>
    withServer(async ({ ask, sent }) => {
      const head = await ask(ARTEFACT, {}, 'HEAD');
      assert.deepEqual([head.status, head.headers['content-length']], [200, '2000000']);
      assert.equal((await ask(ARTEFACT, { 'if-none-match': `"${SHA256}"` })).status, 304);
      assert.equal((await ask(ARTEFACT, { range: 'bytes=2000000-' })).status, 416);
      assert.deepEqual(sent, []);
    }));

  test('a transfer that breaks off is told with the address of who broke it off', () =>
    withServer(async ({ port, sent }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET ${ARTEFACT} HTTP/1.1\r\nhost: edge\r\n\r\n`);
      socket.once('data', () => socket.destroy());
      assert.match((await toldOnce(sent))[0] ?? '', /^127\.0\.0\.1 root \d+ false$/);
    }));

  test(`${PATH_ESCAPES.length} paths that try to escape yield nothing`, () =>
    withServer(async ({ ask, sent }) => {
      assert.ok(PATH_ESCAPES.length >= 500);
      for (const path of PATH_ESCAPES)
        for (const prefix of ['', '/firmware/', `/artefacts/${SHA256}/`]) {
          // What no HTTP client can put in a request line goes as its bytes.
          const written = Buffer.from(prefix + path)
            .toString('latin1')
            .replace(/[\0\s]/g, encodeURIComponent);
          const target = written.startsWith('/') ? written : `/${written}`;
          const { status, body } = await ask(target);
          assert.ok(status === 404 || status === 400, `${status} for ${JSON.stringify(target)}`);
          assert.ok(body.length < 200 && !body.includes('root:'), JSON.stringify(target));
        }
      assert.deepEqual(
        sent.filter((told) => !told.endsWith(' false') && !told.includes(' has not ')),
        [],
      );
    }));

  test('nothing is taken in', () =>
    withServer(async ({ ask }) => {
      for (const method of ['PUT', 'POST', 'DELETE', 'PATCH'])
        for (const path of [ARTEFACT, '/firmware/snponly.efi', '/boot.ipxe?mac=52:54:00:aa:00:01'])
          assert.equal((await ask(path, {}, method)).status, 404, `${method} ${path}`);
    }));
});

describe('an artefact that is on its way to this edge', () => {
  test('is to be asked for again a little later, and is no 404; either is told', () =>
    withServer(async ({ ask, sent }) => {
      const { status, headers } = await ask(`/artefacts/${SHA256}/coming.squashfs`);
      assert.equal(status, 503);
      assert.match(headers['retry-after'] ?? '', /^[1-9]\d?$/);
      assert.equal((await ask(`/artefacts/${SHA256}/other.squashfs`)).status, 404);
      assert.deepEqual(
        sent,
        ['coming', 'other'].map((name) => `127.0.0.1 has not ${SHA256.slice(0, 4)}/${name}.squashfs`),
      );
    }));
});

describe('swarms', () => {
  test('an announce reaches the tracker as it was sent, with both ends of its connection', () =>
    withServer(async ({ ask, announces }) => {
      const { status, body, headers } = await ask('/announce?info_hash=%ff%2F+a&ip=10.0.0.1');
      assert.deepEqual([status, body.toString('latin1')], [200, 'd5:peers3:a\xffbe']);
      assert.equal(headers['cache-control'], 'no-store');
      assert.deepEqual(announces, ['127.0.0.1 at 127.0.0.1: info_hash=%ff%2F+a&ip=10.0.0.1']);
      assert.equal((await ask('/announce')).status, 404);
      assert.equal((await ask('/announce?port=1', {}, 'POST')).status, 404);
    }));

  test('an announce on which the tracker fails is answered, and the server goes on', () =>
    withServer(async ({ ask }) => {
      assert.equal((await ask('/announce?fail')).status, 500);
      assert.equal((await ask('/announce?again')).status, 200);
    }));

  test('a torrent is made for the address at which the edge was reached', () =>
    withServer(async ({ ask, port }) => {
      const { status, body } = await ask(`/torrents/${SHA256}.torrent`);
      assert.deepEqual([status, body.toString()], [200, `http://127.0.0.1:${port}`]);
    }));
});

for (const [name, head, status] of [
  ['of five bytes', 'POST /healthz HTTP/1.1\r\ncontent-length: 5', 413],
  ['in chunks', 'PUT /firmware/snponly.efi HTTP/1.1\r\ntransfer-encoding: chunked', 413],
  ['in a GET', 'GET /healthz HTTP/1.1\r\ncontent-length: 5', 413],
  ['that waits to be asked for', 'POST /healthz HTTP/1.1\r\ncontent-length: 5\r\nexpect: 100-continue', 413],
  ['with two lengths', 'POST /healthz HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6', 400],
] as const)
  test(`a body ${name} is answered ${status}, and the connection closed`, () =>
    withServer(async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${head}\r\nhost: edge\r\n\r\n`);
      const answer = (await buffer(socket)).toString('latin1');
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
    }));

test('one address gets 64 connections and no more', () =>
  withServer(async ({ port, counters }) => {
    const sockets = Array.from({ length: 70 }, () => connect(port, '127.0.0.1'));
    let closed = 0;
    for (const socket of sockets)
      socket
        .resume()
        .on('error', () => {})
        .once('close', () => {
          closed += 1;
        });
    for (let tries = 0; tries < 500 && closed < 6; tries++) await sleep(10);
    assert.equal(closed, 6);
    assert.deepEqual(JSON.parse(JSON.stringify(counters)), {
      'http connection refused: too many of one address': 6,
    });
    for (const socket of sockets) socket.destroy();
  }));

test('health tells what was counted', () =>
  withServer(async ({ ask, counters }) => {
    counters.count('dhcp reply');
    await ask('/nowhere');
    const { body } = await ask('/healthz');
    assert.deepEqual(JSON.parse(body.toString()), {
      status: 'ok',
      counters: { 'dhcp reply': 1, 'http not found': 1 },
    });
  }));

test('idle connections are closed within 15 s, and those that never finish asking', { timeout: 20_000 }, () =>
  withServer(async ({ port, ask }) => {
    const begun = ['', 'GET /boot.ipxe HTTP/1.1\r\nhost: e', 'GET /healthz HTTP/1.1\r\nhost: edge\r\n\r\n'];
    const startedAt = Date.now();
    const closed = begun.map(
      (text) =>
        new Promise<number>((resolve) => {
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => {});
          socket.resume().once('close', () => resolve(Date.now() - startedAt));
          socket.write(text);
        }),
    );
    for (const ms of await Promise.all(closed)) assert.ok(ms < 15_500, `closed after ${ms} ms`);
    assert.equal((await ask('/healthz')).status, 200);
  }),
);

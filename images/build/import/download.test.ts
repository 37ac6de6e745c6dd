import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DownloadOptions, download } from './download.ts';

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers each request by the next of `answers`, and the last again and again. */
async function serving(...answers: readonly Answer[]) {
  const base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    const { range, 'if-range': ifRange } = request.headers;
    asked.push(range && `${range} ${ifRange}`);
    answer?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.iso`;
  const file = join(base.path, 'file');
  return {
    asked,
    url,
    file,
    names: () => readdir(base.path),
    fetch: (options: Partial<DownloadOptions> = {}) =>
      download(url, file, { mostBytes: 1e6, pauseMs: 1, ...options }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await base.remove();
    },
  };
}

/** Answers from where it is asked, and breaks off after `bytes`. */
function part(bytes = CONTENT.length, etag = '"1"'): Answer {
  return (request, response) => {
    const range = request.headers['if-range'] === etag ? request.headers.range : undefined;
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      etag,
      'content-length': CONTENT.length - from,
      'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`,
    });
    const end = Math.min(from + bytes, CONTENT.length);
    // A moment later, or the client throws away what it has not yet read.
    const breakOff = (): void => void setTimeout(() => response.destroy(), 50);
    response.write(CONTENT.subarray(from, end), () => (end < CONTENT.length ? breakOff() : response.end()));
  };
}

test('a download that breaks off goes on where it was', async () => {
  await using server = await serving(part(100_000), part(100_000), part());
  assert.equal(await server.fetch(), CONTENT.length);
  assert.deepEqual(await readFile(server.file), CONTENT);
  assert.equal(server.asked.length, 3);
  for (const range of server.asked.slice(1)) assert.match(range ?? '', /^bytes=\d+- "1"$/);
});

test('a later run goes on too, but not with another file of the same address', async () => {
  await using server = await serving(part(100_000), (_, response) => response.destroy());
  await assert.rejects(server.fetch(), {
    code: 'download_broken',
    message: /after \d+ bytes, 5 times/,
    remedy: /goes on from/,
  });
  assert.deepEqual((await server.names()).sort(), ['file', 'file.json']);
  await using other = await serving(part(CONTENT.length, '"2"'));
  await download(other.url, server.file, { mostBytes: 1e6, pauseMs: 1 });
  assert.deepEqual(other.asked, [undefined]);
  assert.deepEqual(await readFile(server.file), CONTENT);
});

test('when the file changed meanwhile, it is fetched anew', async () => {
  await using server = await serving(part(100_000, '"1"'), part(CONTENT.length, '"2"'));
  await server.fetch();
  assert.equal(server.asked.length, 2);
  assert.match(server.asked[1] ?? '', /^bytes=/);
  assert.deepEqual(await readFile(server.file), CONTENT);
});

test('what is not there, or refused, is told at once', async () => {
  await using server = await serving((_, response) => response.writeHead(404).end());
  await assert.rejects(server.fetch(), { code: 'download_refused', message: /the server answered 404/ });
  assert.equal(server.asked.length, 1);
  for (const url of ['ftp://mirror.example/x.iso', 'file:///etc/passwd'])
    await assert.rejects(download(url, server.file, { mostBytes: 1 }), {
      code: 'download_refused',
      message: /only http and https/,
    });
});

test('redirects are followed, but not for ever, and not elsewhere than http', async () => {
  const redirect =
    (to: string): Answer =>
    (_, response) =>
      response.writeHead(302, { location: to }).end();
  await using once = await serving(redirect('/there.iso'), part());
  assert.equal(await once.fetch(), CONTENT.length);
  await using round = await serving(redirect('/round'));
  await assert.rejects(round.fetch(), { code: 'download_refused', message: /more than 5 times/ });
  await using away = await serving(redirect('file:///etc/passwd'));
  await assert.rejects(away.fetch(), { message: /^file:\/\/\/etc\/passwd cannot be fetched: only http/ });
});

test('more than is allowed is not kept, whether the server says so or not', async () => {
  await using honest = await serving(part());
  await assert.rejects(honest.fetch({ mostBytes: 1000 }), { code: 'download_too_large' });
  await using endless = await serving((_, response) => {
    response.writeHead(200);
    const send = (): void => void (response.destroyed || response.write(CONTENT, send));
    send();
  });
  await assert.rejects(endless.fetch(), { code: 'download_too_large' });
});

test('an operator can stop it', async () => {
  const stop = new AbortController();
  await using server = await serving((_, response) => {
    response.writeHead(200, { 'content-length': 1000, etag: '"1"' });
    response.write('some', () => stop.abort(new Error('stopped by hand')));
  });
  await assert.rejects(server.fetch({ signal: stop.signal }), /stopped by hand|aborted/);
});

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { getBytes } from './edge-bytes.ts';

describe('bytes from an edge', () => {
  let end: (() => Promise<void>) | undefined;

  afterEach(async () => {
    await end?.();
    end = undefined;
  });

  /** @returns its URL. */
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    end = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/artefacts/x`;
  }

  const ask = (url: string, changed: { signal?: AbortSignal; silenceMs?: number } = {}) =>
    getBytes(url, { headers: {}, signal: new AbortController().signal, silenceMs: 5_000, ...changed });

  async function lengthOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
    let length = 0;
    for await (const chunk of chunks) length += chunk.length;
    return length;
  }

  test('all of them, with the headers that were asked for', async () => {
    const url = await serve((request, response) => {
      response.writeHead(206).end(`${request.headers.range}`.repeat(100_000));
    });
    const { status, chunks } = await getBytes(url, {
      headers: { range: 'bytes=7-' },
      signal: new AbortController().signal,
      silenceMs: 5_000,
    });
    assert.deepEqual([status, await lengthOf(chunks)], [206, 800_000]);
  });

  test('an answer that breaks off before its end is an error, and not the end', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('half', () => response.destroy());
    });
    await assert.rejects(async () => lengthOf((await ask(url)).chunks), /aborted/);
  });

  test('silence is an error, before the answer and within it', async () => {
    const mute = await serve(() => {});
    await assert.rejects(ask(mute, { silenceMs: 50 }), /artefacts\/x: nothing came for 0.05 s/);
    await end?.();
    const halting = await serve((_request, response) => void response.writeHead(200).write('half'));
    await assert.rejects(
      async () => lengthOf((await ask(halting, { silenceMs: 200 })).chunks),
      /^Error: nothing came for 0.2 s/,
    );
  });

  test('who takes a chunk may take longer than silence may last', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200).write('the first');
      setTimeout(() => response.end('the last'), 600);
    });
    const { chunks } = await ask(url, { silenceMs: 400 });
    let count = 0;
    for await (const _ of chunks) {
      count += 1;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.equal(count, 2);
  });

  test('other answers, a server that is not there, and a signal', async () => {
    const url = await serve((_request, response) => void response.writeHead(302, { location: '/' }).end());
    await assert.rejects(ask(url), /artefacts\/x: status 302/);
    const cause = new Error('stopped by the test');
    await assert.rejects(ask(url, { signal: AbortSignal.abort(cause) }), cause);
    await end?.();
    end = undefined;
    await assert.rejects(ask(url), /artefacts\/x: connect ECONNREFUSED/);
  });
});

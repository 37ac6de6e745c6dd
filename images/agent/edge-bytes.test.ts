import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getBytes } from './edge-bytes.ts';

const content = Buffer.from(Uint8Array.from({ length: 3_000_001 }, (_, at) => (at * 31 + (at >> 9)) % 256));

describe('bytes from an edge', () => {
  const ends: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** @returns its URL. */
  async function listening(server: Server): Promise<string> {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    ends.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
        }),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/artefacts/x`;
  }

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    const url = await listening(server);
    ends.unshift(async () => server.closeAllConnections());
    return url;
  }

  /** Answers with these bytes, as they are, and no others. */
  async function saying(...parts: readonly (string | Buffer)[]): Promise<string> {
    return listening(
      createTcpServer((socket) => {
        socket
          .on('error', () => {})
          .once('data', async () => {
            for (const part of parts) {
              socket.write(part);
              await sleep(20);
            }
            socket.end();
          });
      }),
    );
  }

  const whole = (response: Parameters<RequestListener>[1], bytes = content): void =>
    void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);

  const ask = (
    url: string,
    changed: Partial<Parameters<typeof getBytes>[1]> = {},
  ): Promise<AsyncIterable<Uint8Array>> => {
    const { signal } = new AbortController();
    return getBytes(url, { ...{ start: 0, chunkBytes: 65_536, signal, silenceMs: 5_000 }, ...changed });
  };

  async function all(chunks: AsyncIterable<Uint8Array>, onChunk = (_: Uint8Array) => {}): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const chunk of chunks) {
      onChunk(chunk);
      parts.push(Buffer.from(chunk));
    }
    return Buffer.concat(parts);
  }

  for (const chunkBytes of [16_384, 65_537, 1 << 20, content.length, content.length + 1])
    test(`all of them, ${chunkBytes} at a time`, async () => {
      const url = await serve((_, response) => whole(response));
      const sizes: number[] = [];
      const found = await all(await ask(url, { chunkBytes }), ({ length }) => sizes.push(length));
      assert.ok(found.equals(content));
      assert.ok(sizes.slice(0, -1).every((size) => size === chunkBytes));
    });

  test('the rest of them', async () => {
    const url = await serve(({ headers }, response) => {
      assert.equal(headers.range, 'bytes=7-');
      response.writeHead(206, { 'content-length': content.length - 7 }).end(content.subarray(7));
    });
    assert.ok((await all(await ask(url, { start: 7 }))).equals(content.subarray(7)));
  });

  test('a part of them', async () => {
    const url = await serve(({ headers }, response) => {
      assert.equal(headers.range, 'bytes=7-11');
      response.writeHead(206, { 'content-length': 5 }).end(content.subarray(7, 12));
    });
    assert.ok((await all(await ask(url, { start: 7, end: 12 }))).equals(content.subarray(7, 12)));
    const short = await saying('HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\nabcde');
    await assert.rejects(ask(short, { start: 7, end: 13 }), /5 bytes, where 6 were asked for/);
  });

  test('none', async () => {
    const url = await serve((_, response) => whole(response, Buffer.alloc(0)));
    assert.equal((await all(await ask(url))).length, 0);
  });

  test('where the head comes in parts, and with the first of them', async () => {
    const url = await saying('HTTP/1.1 200 OK\r\nContent-', 'Length: 6\r\n\r', '\nabc', 'defgh');
    assert.equal((await all(await ask(url))).toString(), 'abcdef');
  });

  test('an answer that breaks off before its end is an error, and not the end', async () => {
    const url = await saying('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf');
    await assert.rejects(async () => all(await ask(url)), /it broke off, with 996 bytes to come/);
    const early = await saying('HTTP/1.1 200 OK\r\ncontent-');
    await assert.rejects(ask(early), /artefacts\/x: it broke off/);
  });

  test('silence is an error, before the answer and within it', async () => {
    const mute = await serve(() => {});
    await assert.rejects(ask(mute, { silenceMs: 50 }), /artefacts\/x: nothing came for 0.05 s/);
    const halting = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 9 }).write('half');
    });
    await assert.rejects(
      async () => all(await ask(halting, { silenceMs: 200 })),
      /^Error: nothing came for 0.2 s/,
    );
  });

  test('who takes them may take longer than silence may last', async () => {
    const url = await serve((_request, response) => whole(response));
    const sizes: number[] = [];
    for await (const { length } of await ask(url, { silenceMs: 300, chunkBytes: 1_000_000 })) {
      sizes.push(length);
      await sleep(400);
    }
    assert.deepEqual(sizes, [1_000_000, 1_000_000, 1_000_000, 1]);
  });

  const others: readonly (readonly [name: string, head: string, reason: RegExp, start?: number])[] = [
    ['another status', 'HTTP/1.1 302 Found\r\ncontent-length: 0', /artefacts\/x: status 302/],
    ['no status', 'SSH-2.0-OpenSSH', /status NaN/],
    ['no length', 'HTTP/1.1 200 OK\r\nx: y', /does not tell its length/],
    ['all of it in place of the rest', 'HTTP/1.1 200 OK\r\ncontent-length: 9', /the edge sent all of it/, 3],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`, /head does not end/],
  ];
  for (const [name, head, reason, start = 0] of others)
    test(`${name} is refused`, async () => {
      await assert.rejects(ask(await saying(`${head}\r\n\r\nabcdefghi`), { start }), reason);
    });

  test('a server that is not there, and a signal at any time', async () => {
    const cause = new Error('stopped by the test');
    const halting = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 9 }).write('half');
    });
    await assert.rejects(ask(halting, { signal: AbortSignal.abort(cause) }), cause);
    const stop = new AbortController();
    const input = await ask(halting, { signal: stop.signal });
    setTimeout(() => stop.abort(cause), 50);
    await assert.rejects(all(input), cause);
    await assert.rejects(ask('http://127.0.0.1:9/artefacts/x'), /artefacts\/x: connect ECONNREFUSED/);
    await assert.rejects(ask('https://127.0.0.1:9/x'), /https: is not what edges speak/);
  });
});

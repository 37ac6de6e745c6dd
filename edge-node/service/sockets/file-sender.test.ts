import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FileSender, sendFile } from '@bootswarm/images/swarm';
import { ThreadedFileSender } from './file-sender.ts';

const content = Buffer.from(Uint8Array.from({ length: 2_000_000 }, (_, at) => (at * 31 + (at >> 8)) % 251));
/** More than any socket takes at once. */
const LONG_BYTES = 48 * 1024 * 1024;
const STALLED_MS = 2500;

describe('files that a thread sends', () => {
  let folder = '';
  let port = 0;
  const sender = new ThreadedFileSender(2, (error) => assert.fail(String(error)));
  /** What was handed over, and how many bytes of it left. */
  const handedOver: { asked: number; sent: number }[] = [];
  let begun = 0;
  const counting: FileSender = {
    send: (socket, file, range) => {
      begun += 1;
      return sender.send(socket, file, range)?.then((sent) => {
        handedOver.push({ asked: range.end - range.start, sent: sent ?? -1 });
        return sent;
      });
    },
  };
  /** How each transfer ended, which its client may know a moment earlier. */
  const ends: { readonly path: string; readonly bytes: number; readonly complete: boolean }[] = [];
  const endsOf = (path: string): typeof ends => ends.filter((end) => end.path === path);
  const server = createServer((request, response) => {
    const { url = '' } = request;
    const file = { path: join(folder, url.slice(1)), sha256: 'c'.repeat(64), sender: counting };
    void sendFile(request, response, file).then((sent) => ends.push({ path: url, ...sent }));
  });
  server.setTimeout(STALLED_MS);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-sender-'));
    await writeFile(join(folder, 'file'), content);
    await writeFile(join(folder, 'long'), '');
    await truncate(join(folder, 'long'), LONG_BYTES);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await sender.stop();
    await rm(folder, { recursive: true });
  });

  async function fetched(path: string, headers = {}, agent?: Agent): Promise<Buffer> {
    const asked = get({ host: '127.0.0.1', port, path, headers, ...(agent ? { agent } : {}) });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return await buffer(response);
  }

  /** A client that asks for a file and reads nothing of it unless told. */
  async function slowClient(path: string): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nhost: edge\r\n\r\n`);
    return socket;
  }

  async function until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; tries < 1000 && !isSo(); tries++) await sleep(10);
    assert.ok(isSo());
  }

  test('arrive byte for byte, one after the other on one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    handedOver.length = 0;
    for (let n = 0; n < 5; n++) assert.ok((await fetched('/file', {}, agent)).equals(content));
    const part = await fetched('/file', { range: 'bytes=100001-1799999' }, agent);
    assert.ok(part.equals(content.subarray(100_001, 1_800_000)));
    agent.destroy();
    await until(() => handedOver.length === 6);
    assert.deepEqual(handedOver.at(-1), { asked: 1_699_999, sent: 1_699_999 });
  });

  test('several ranges stand between their own headers, whoever sends them', async () => {
    const body = await fetched('/file', { range: 'bytes=0-9, 300000-1299999, 1999990-1999999' });
    for (const [start, end] of [
      [0, 10],
      [300_000, 1_300_000],
      [1_999_990, 2_000_000],
    ] as const)
      assert.ok(body.includes(Buffer.concat([Buffer.from('\r\n\r\n'), content.subarray(start, end)])));
  });

  test('many clients at once get their own bytes', async () => {
    const ranges = Array.from({ length: 40 }, (_, n) => [n * 1000, n * 1000 + 900_000] as const);
    const bodies = await Promise.all(
      ranges.map(async ([start, end]) =>
        (await fetched('/file', { range: `bytes=${start}-${end - 1}` })).equals(content.subarray(start, end)),
      ),
    );
    assert.deepEqual(bodies, Array(40).fill(true));
  });

  test('requests that came together are answered in their order', async () => {
    const socket = connect({ host: '127.0.0.1', port });
    const ask = (lines: string): string => `GET /file HTTP/1.1\r\nhost: edge\r\n${lines}\r\n`;
    socket.write(ask('') + ask('range: bytes=0-499999\r\n') + ask('connection: close\r\n'));
    const answers = await buffer(socket);
    const heads = answers.toString('latin1').split('HTTP/1.1 ').slice(1);
    assert.deepEqual(
      heads.map((text) => text.slice(0, 3)),
      ['200', '206', '200'],
    );
    const bodies = [content, content.subarray(0, 500_000), content];
    let at = 0;
    for (const body of bodies) {
      at = answers.indexOf('\r\n\r\n', at) + 4;
      assert.ok(answers.subarray(at, at + body.length).equals(body));
      at += body.length;
    }
    assert.equal(at, answers.length);
  });

  test('a file that ends too soon breaks the connection', async () => {
    await writeFile(join(folder, 'cut'), '');
    await truncate(join(folder, 'cut'), LONG_BYTES);
    const begunBefore = begun;
    const client = await slowClient('/cut');
    await until(() => begun > begunBefore);
    await truncate(join(folder, 'cut'), 100_000);
    const startedAt = performance.now();
    const taken = await buffer(client.resume());
    assert.ok(performance.now() - startedAt < STALLED_MS / 2, 'it was given up as one that stands still');
    assert.ok(taken.length < LONG_BYTES);
    await until(() => endsOf('/cut').length === 1);
    assert.equal(endsOf('/cut')[0]?.complete, false);
  });

  test('a client that goes away is told as incomplete, and leaves no descriptor', async () => {
    const before = (await readdir('/proc/self/fd')).length;
    const begunBefore = begun;
    const clients = await Promise.all(Array.from({ length: 20 }, () => slowClient('/long')));
    await until(() => begun === begunBefore + 20);
    for (const client of clients) client.resetAndDestroy();
    await until(() => endsOf('/long').length === 20);
    assert.ok(endsOf('/long').every(({ bytes, complete }) => !complete && bytes < LONG_BYTES));
    await sleep(50);
    assert.ok((await readdir('/proc/self/fd')).length <= before + 2);
  });

  test('threads that have nothing to do do not keep the process from ending', async () => {
    const url = new URL('./file-sender.ts', import.meta.url).href;
    const idle = `const { ThreadedFileSender } = await import(${JSON.stringify(url)});
      new ThreadedFileSender(2, () => {});
      setTimeout(() => process.exit(3), 500);`;
    const { promise, resolve } = Promise.withResolvers<number | null>();
    const child = spawn(process.execPath, ['--input-type=module', '-e', idle], { stdio: 'inherit' });
    child.once('exit', resolve);
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    assert.equal(await promise, 3);
    clearTimeout(late);
  });

  test('a client that takes nothing is given up; one that takes a little now and then is not', async (t) => {
    await writeFile(join(folder, 'slow'), '');
    await truncate(join(folder, 'slow'), LONG_BYTES);
    const [still, slow] = [await slowClient('/long'), await slowClient('/slow')];
    const endedBefore = endsOf('/long').length;
    let taken = 0;
    slow.on('data', (bytes) => {
      taken += bytes.length;
      slow.pause();
    });
    const sips = setInterval(() => slow.resume(), 20);
    t.after(() => {
      clearInterval(sips);
      still.destroy();
      slow.destroy();
    });
    await until(() => endsOf('/long').length > endedBefore);
    assert.equal(endsOf('/long').at(-1)?.complete, false);
    // The slow one has then been at it for longer than another may take nothing.
    await sleep(STALLED_MS);
    assert.equal(slow.destroyed, false);
    clearInterval(sips);
    slow.on('data', () => slow.resume()).resume();
    await until(() => endsOf('/slow').length === 1);
    assert.deepEqual(endsOf('/slow'), [{ path: '/slow', bytes: LONG_BYTES, complete: true }]);
    await until(() => taken > LONG_BYTES);
  });
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sendBytes, sendFile } from './send-file.ts';

const content = Buffer.from(Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 31) % 251));
const sha256 = 'c'.repeat(64);
let folder = '';
let url = '';
const server = createServer((request, response) => {
  if (request.url === '/memory') return void sendBytes(request, response, { bytes: content, sha256 });
  return void sendFile(request, response, {
    path: join(folder, request.url === '/unreadable' ? 'unreadable' : 'file'),
    sha256,
  });
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bootswarm-send-'));
  await writeFile(join(folder, 'file'), content);
  // A folder opens and has a length, and every read of it fails.
  await mkdir(join(folder, 'unreadable'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

for (const from of ['file', 'memory']) {
  describe(`from ${from}`, () => {
    test('the whole file, byte for byte', async () => {
      const response = await fetch(url + from);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('etag'), `"${sha256}"`);
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(content));
    });

    test('a range that crosses several reads', async () => {
      const response = await fetch(url + from, { headers: { range: 'bytes=100000-1799999' } });
      assert.equal(response.status, 206);
      assert.equal(response.headers.get('content-range'), 'bytes 100000-1799999/2000000');
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(content.subarray(100000, 1800000)));
    });

    test('HEAD tells the length and sends nothing', async () => {
      const response = await fetch(url + from, { method: 'HEAD' });
      assert.equal(response.headers.get('content-length'), '2000000');
      assert.equal((await response.arrayBuffer()).byteLength, 0);
    });

    test('several ranges, each between its own headers', async () => {
      const ranges = [
        [0, 10],
        [600_000, 1_300_000],
        [1_999_990, 2_000_000],
      ] as const;
      const asked = ranges.map(([start, end]) => `${start}-${end - 1}`).join(', ');
      const response = await fetch(url + from, { headers: { range: `bytes=${asked}` } });
      assert.equal(response.status, 206);
      const [, boundary] =
        /^multipart\/byteranges; boundary=([\w-]+)$/.exec(response.headers.get('content-type') ?? '') ?? [];
      assert.equal(response.headers.get('content-range'), null);
      const body = Buffer.from(await response.arrayBuffer());
      assert.equal(response.headers.get('content-length'), String(body.length));
      const parts = ranges.map(([start, end]) => {
        const head = `\r\n--${boundary}\r\ncontent-type: application/octet-stream\r\ncontent-range: bytes ${start}-${end - 1}/2000000\r\n\r\n`;
        return Buffer.concat([Buffer.from(head), content.subarray(start, end)]);
      });
      assert.ok(body.equals(Buffer.concat([...parts, Buffer.from(`\r\n--${boundary}--\r\n`)])));
    });

    test('HEAD knows no ranges', async () => {
      const response = await fetch(url + from, { method: 'HEAD', headers: { range: 'bytes=0-9,20-29' } });
      assert.deepEqual([response.status, response.headers.get('content-length')], [200, '2000000']);
    });

    test('a range behind the end is 416 and names the length', async () => {
      const response = await fetch(url + from, { headers: { range: 'bytes=2000000-' } });
      assert.equal(response.status, 416);
      assert.equal(response.headers.get('content-range'), 'bytes */2000000');
    });

    test('a known version is 304; a range of another version is the whole', async () => {
      const known = await fetch(url + from, { headers: { 'if-none-match': `"${sha256}"` } });
      assert.equal(known.status, 304);
      for (const list of [`"other", W/"${sha256}"`, '*'])
        assert.equal((await fetch(url + from, { headers: { 'if-none-match': list } })).status, 304, list);
      const other = await fetch(url + from, { method: 'HEAD', headers: { 'if-none-match': '"other"' } });
      assert.equal(other.status, 200);
      const stale = await fetch(url + from, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } });
      assert.equal(stale.status, 200);
      await stale.arrayBuffer();
    });

    test('many clients at once share the buffers and get their own bytes', async () => {
      const ranges = Array.from({ length: 24 }, (_, n) => [n * 1000, n * 1000 + 900_000] as const);
      const bodies = await Promise.all(
        ranges.map(async ([start, end]) => {
          const response = await fetch(url + from, { headers: { range: `bytes=${start}-${end - 1}` } });
          return Buffer.from(await response.arrayBuffer()).equals(content.subarray(start, end));
        }),
      );
      assert.deepEqual(bodies, Array(24).fill(true));
    });
  });
}

test('a file that cannot be read breaks the connection: nothing else is sent in its place', async () => {
  const response = await fetch(`${url}unreadable`).catch((error: unknown) => error);
  if (response instanceof Response) await assert.rejects(response.arrayBuffer(), TypeError);
  else assert.ok(response instanceof TypeError);
  assert.equal((await fetch(url, { method: 'HEAD' })).status, 200, 'the server goes on');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { Client, endpoints, type Upload } from '@bootswarm/controller/contract';
import { sha256Of } from '@bootswarm/images/format';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { chunked, sampleBytes } from '../testing/samples.ts';
import { type UploadFolder, Uploads } from './uploads.ts';

let controller: ControllerUnderTest;

before(async () => {
  controller = await ControllerUnderTest.start();
});

after(() => controller[Symbol.asyncDispose]());

function send(
  sha256: string,
  offset: number,
  length: number,
  bytes: AsyncIterable<Uint8Array>,
  to: Client = controller.operator,
): Promise<Upload> {
  return to.send(endpoints.sendUpload, { params: { sha256 }, query: { offset, length } }, bytes);
}

function show(sha256: string): Promise<Upload> {
  return controller.operator.call(endpoints.showUpload, { params: { sha256 } });
}

/** Sends the headers of an upload of `length` bytes and no byte yet, and waits until the controller takes it. */
async function beginUpload(sha256: string, offset: number, length: number) {
  const request = httpRequest(`${controller.url}/v1/uploads/${sha256}?offset=${offset}&length=${length}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${controller.operatorToken}`,
      'content-length': length - offset,
      expect: '100-continue',
    },
  });
  request.on('error', () => {});
  request.flushHeaders();
  await once(request, 'continue');
  return request;
}

/** Sends what leads up to `end` and breaks the connection. */
async function breakOffAt(bytes: Uint8Array, offset: number, end: number): Promise<void> {
  const request = await beginUpload(sha256Of(bytes), offset, bytes.length);
  if (end > offset) await new Promise((resolve) => request.write(bytes.subarray(offset, end), resolve));
  const logged = controller.log.next();
  request.destroy();
  assert.equal((await logged).msg, 'the caller went away');
}

const length = 3000;
for (const place of [0, 1, 1499, 2999])
  test(`an upload that broke off at byte ${place} goes on where it was`, async () => {
    const bytes = sampleBytes(length, 100 + place);
    const sha256 = sha256Of(bytes);
    await breakOffAt(bytes, 0, place);
    const { received, complete } = await show(sha256);
    assert.equal(complete, false);
    assert.ok(received <= place);
    assert.deepEqual(await send(sha256, received, length, chunked(bytes.subarray(received))), {
      received: length,
      complete: true,
    });
    assert.deepEqual(new Uint8Array(await readFile(controller.services.artefacts.pathOf(sha256))), bytes);
  });

test('an upload in many parts is whole with the last', async () => {
  const bytes = sampleBytes(length, 5);
  const sha256 = sha256Of(bytes);
  for (let at = 0; at < length; at += 700) {
    const end = Math.min(at + 700, length);
    const state = await send(sha256, at, length, chunked(bytes.subarray(at, end)));
    assert.deepEqual(state, { received: end, complete: end === length });
    assert.deepEqual(await show(sha256), state);
  }
});

test('of more uploads at once than hashes are kept for, every one becomes whole', async () => {
  // Of a length of their own, so that they are no other test's.
  const all = Array.from({ length: 70 }, (_, n) => sampleBytes(2500, n));
  for (const bytes of all) await send(sha256Of(bytes), 0, 2500, chunked(bytes.subarray(0, 1000)));
  for (const bytes of all)
    assert.equal((await send(sha256Of(bytes), 1000, 2500, chunked(bytes.subarray(1000)))).complete, true);
});

test('bytes that were not hashed on their way, as before a restart, are read and found wrong', async () => {
  const bytes = sampleBytes(length, 300);
  const sha256 = sha256Of(bytes);
  await writeFile(controller.services.artefacts.partialPathOf(sha256), sampleBytes(1000, 301));
  await assert.rejects(send(sha256, 1000, length, chunked(bytes.subarray(1000))), {
    code: 'upload_wrong_hash',
  });
});

test('what is whole already is not read again', async () => {
  const bytes = sampleBytes(length, 6);
  const sha256 = sha256Of(bytes);
  await send(sha256, 0, length, chunked(bytes));
  assert.deepEqual(await send(sha256, 0, length, chunked(bytes)), { received: length, complete: true });
});

test('bytes that all came before the controller stopped are verified without sending them again', async () => {
  const bytes = sampleBytes(length, 7);
  const sha256 = sha256Of(bytes);
  await writeFile(controller.services.artefacts.partialPathOf(sha256), bytes);
  assert.deepEqual(await show(sha256), { received: length, complete: false });
  assert.deepEqual(await send(sha256, length, length, chunked(new Uint8Array())), {
    received: length,
    complete: true,
  });
});

test('bytes with another SHA-256 are discarded, and the right ones are taken afterwards', async () => {
  const bytes = sampleBytes(length, 8);
  const sha256 = sha256Of(bytes);
  await assert.rejects(send(sha256, 0, length, chunked(sampleBytes(length, 9))), {
    code: 'upload_wrong_hash',
    status: 422,
  });
  assert.deepEqual(await show(sha256), { received: 0, complete: false });
  assert.equal((await send(sha256, 0, length, chunked(bytes))).complete, true);
});

test('more bytes than announced are discarded, and the sender of much more is told so', async () => {
  const bytes = sampleBytes(4_000_000, 10);
  const sha256 = sha256Of(bytes.subarray(0, length));
  await assert.rejects(send(sha256, 0, length, chunked(bytes, 65_536)), {
    code: 'upload_too_long',
    status: 422,
  });
  assert.deepEqual(await show(sha256), { received: 0, complete: false });
});

test('bytes that do not begin where the upload stands are refused, and nothing changes', async () => {
  const bytes = sampleBytes(length, 11);
  const sha256 = sha256Of(bytes);
  await send(sha256, 0, length, chunked(bytes.subarray(0, 1000)));
  for (const offset of [1, 999, 1001, length])
    await assert.rejects(send(sha256, offset, length, chunked(bytes)), {
      code: 'upload_offset',
      message: `the upload stands at byte 1000, not at ${offset}`,
    });
  assert.deepEqual(await show(sha256), { received: 1000, complete: false });
});

test('an upload may begin anew at 0', async () => {
  const bytes = sampleBytes(length, 12);
  const sha256 = sha256Of(bytes);
  await send(sha256, 0, length, chunked(sampleBytes(2000, 13)));
  assert.equal((await send(sha256, 0, length, chunked(bytes))).complete, true);
});

test('of two who send one artefact at once, one is told to wait', async () => {
  const bytes = sampleBytes(length, 14);
  const sha256 = sha256Of(bytes);
  const first = await beginUpload(sha256, 0, length);
  await assert.rejects(send(sha256, 0, length, chunked(bytes)), { code: 'upload_busy', status: 409 });
  const answered = once(first, 'response');
  first.end(bytes);
  const [response] = await answered;
  assert.equal(response.statusCode, 200);
  response.resume();
  assert.equal((await show(sha256)).complete, true);
});

test('who broke off keeps nobody out', async () => {
  const bytes = sampleBytes(length, 15);
  await breakOffAt(bytes, 0, 100);
  const { received } = await show(sha256Of(bytes));
  assert.equal(
    (await send(sha256Of(bytes), received, length, chunked(bytes.subarray(received)))).complete,
    true,
  );
});

/** Its disk takes `room` bytes of each request and is full then, as the system says it. */
class FullDiskFolder implements UploadFolder {
  readonly #folder: UploadFolder;
  room = 200_000;

  constructor(folder: UploadFolder) {
    this.#folder = folder;
  }

  append(sha256: string, offset: number, source: AsyncIterable<Uint8Array>, most: number): Promise<number> {
    return this.#folder.append(sha256, offset, this.#untilFull(source), most);
  }

  async *#untilFull(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let taken = 0;
    for await (const chunk of source) {
      taken += chunk.length;
      if (taken > this.room)
        throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
      yield chunk;
    }
  }

  receivedBytes(sha256: string): Promise<number> {
    return this.#folder.receivedBytes(sha256);
  }

  finish(sha256: string): ReturnType<UploadFolder['finish']> {
    return this.#folder.finish(sha256);
  }

  discard(sha256: string): Promise<void> {
    return this.#folder.discard(sha256);
  }
}

test('a full disk is said as that, and the upload goes on once there is room', async () => {
  let disk: FullDiskFolder | undefined;
  await using full = await ControllerUnderTest.start(undefined, ({ store, artefacts }) => {
    disk = new FullDiskFolder(artefacts);
    return { uploads: new Uploads(store, disk) };
  });
  assert.ok(disk);
  const bytes = sampleBytes(4_000_000, 16);
  const sha256 = sha256Of(bytes);
  await assert.rejects(send(sha256, 0, bytes.length, chunked(bytes, 50_000), full.operator), {
    code: 'disk_full',
    status: 507,
    message: 'the disk of the controller is full',
  });
  const { received } = await full.operator.call(endpoints.showUpload, { params: { sha256 } });
  assert.ok(received > 0 && received <= 200_000, String(received));
  disk.room = Number.POSITIVE_INFINITY;
  const rest = chunked(bytes.subarray(received), 50_000);
  assert.equal((await send(sha256, received, bytes.length, rest, full.operator)).complete, true);
  assert.deepEqual(full.log.records, []);
});

test('a whole artefact is fetched by operator and edge alike, in ranges too', async () => {
  const bytes = sampleBytes(length, 17);
  const sha256 = sha256Of(bytes);
  await assert.rejects(controller.operator.fetch(endpoints.fetchArtefact, { params: { sha256 } }), {
    code: 'artefact_unknown',
    status: 404,
  });
  await send(sha256, 0, length, chunked(bytes));
  for (const token of [controller.operatorToken, await controller.joinEdge('edge1')]) {
    const client = new Client({ url: controller.url, token });
    const whole = await client.fetch(endpoints.fetchArtefact, { params: { sha256 } });
    assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), bytes);
    const headers = { range: 'bytes=100-199' };
    const part = await client.fetch(endpoints.fetchArtefact, { params: { sha256 } }, { headers });
    assert.equal(part.status, 206);
    assert.deepEqual(new Uint8Array(await part.arrayBuffer()), bytes.subarray(100, 200));
  }
});

test('an artefact that is not whole yet is not given out', async () => {
  const bytes = sampleBytes(length, 18);
  const sha256 = sha256Of(bytes);
  await send(sha256, 0, length, chunked(bytes.subarray(0, 2000)));
  await assert.rejects(controller.operator.fetch(endpoints.fetchArtefact, { params: { sha256 } }), {
    code: 'artefact_unknown',
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Client, endpoints } from '@bootswarm/controller/contract';
import { sha256Of } from '@bootswarm/images/format';
import { sampleBytes } from './testing/samples.ts';
import { ServerProgram } from './testing/server-program.ts';

const MIB = 2 ** 20;

describe('the controller as a program', () => {
  let data: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'bootswarm-main-'));
  });
  afterEach(() => rm(data, { recursive: true }));

  const tokenOf = (program: ServerProgram): string | undefined =>
    program.lines.find(({ operatorToken }) => operatorToken !== undefined)?.operatorToken;

  test('tells the operator token before it is up, at its first start alone, and not as a log record', async () => {
    await using first = new ServerProgram(data);
    const port = await first.up();
    const [line] = first.lines;
    assert.match(line?.operatorToken ?? '', /^bso_[\w-]{43}$/);
    assert.equal(line?.level, undefined);
    const old = new Client({ url: `http://127.0.0.1:${port}`, token: tokenOf(first) });
    assert.deepEqual(await old.call(endpoints.listEdges, {}), []);
    await old.call(endpoints.addEdge, { body: { name: 'edge1' } });
    first.signal('SIGTERM');
    assert.equal(await first.ended, 0);

    await using second = new ServerProgram(data);
    const again = new Client({ url: `http://127.0.0.1:${await second.up()}`, token: tokenOf(first) });
    assert.equal(tokenOf(second), undefined);
    assert.equal((await again.call(endpoints.listEdges, {})).length, 1, 'what was committed is there');
    second.signal('SIGINT');
    assert.equal(await second.ended, 0);

    await using third = new ServerProgram(data, '--new-operator-token');
    const url = `http://127.0.0.1:${await third.up()}`;
    await assert.rejects(new Client({ url, token: tokenOf(first) }).call(endpoints.listEdges, {}), {
      code: 'token_missing',
    });
    assert.equal((await new Client({ url, token: tokenOf(third) }).call(endpoints.listEdges, {})).length, 1);
  });

  test('a second one on the same folder does not start, and leaves the first alone', async () => {
    await using first = new ServerProgram(data);
    const port = await first.up();
    await using second = new ServerProgram(data);
    assert.equal(await second.ended, 1);
    const [{ code, remedy, msg } = {}] = second.lines;
    assert.deepEqual([code, msg], ['folder_in_use', `another controller runs on ${data}`]);
    assert.match(remedy ?? '', /--data/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    first.signal('SIGKILL');
    await first.ended;
    await using third = new ServerProgram(data);
    await third.up();
  });

  test('a start that fails for its port has not used up the operator token', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'bootswarm-main-'));
    await using other = new ServerProgram(elsewhere);
    const port = String(await other.up());
    await using failed = new ServerProgram(data, '--port', port);
    assert.equal(await failed.ended, 1);
    assert.equal(failed.lines[0]?.code, 'port_in_use');
    await using retried = new ServerProgram(data);
    await retried.up();
    assert.notEqual(tokenOf(retried), undefined);
    other.signal('SIGKILL');
    await other.ended;
    await rm(elsewhere, { recursive: true });
  });

  const unusable: readonly (readonly [string, readonly string[], string])[] = [
    ['an address of nobody here', ['--address', '192.0.2.1'], 'address_unknown'],
    ['a data folder under a file', ['--data', '/dev/null/data'], 'folder_unusable'],
  ];
  for (const [what, options, code] of unusable)
    test(`${what} is said with what to do`, async () => {
      await using program = new ServerProgram(data, ...options);
      assert.equal(await program.ended, 1);
      assert.deepEqual([program.lines[0]?.code, program.lines[0]?.level], [code, 60]);
      assert.notEqual(program.lines[0]?.remedy, undefined);
    });

  test('told to stop, it ends the waits of edges at once and lets an upload end', async () => {
    await using program = new ServerProgram(data);
    const url = `http://127.0.0.1:${await program.up()}`;
    const operator = new Client({ url, token: tokenOf(program) });
    const { joinToken } = await operator.call(endpoints.addEdge, { body: { name: 'edge1' } });
    const { token } = await new Client({ url, token: joinToken }).call(endpoints.join, {});
    const query = { after: 1_000_000, waitSeconds: 60 };
    const waits = new Client({ url, token }).call(endpoints.desiredState, { query });

    // What comes is written by the mebibyte.
    const bytes = sampleBytes(3 * MIB);
    const sha256 = sha256Of(bytes);
    await writeFile(join(data, 'artefacts', 'partial', sha256), bytes.subarray(0, 100));
    const stopping = Promise.withResolvers<void>();
    const upload = operator.send(
      endpoints.sendUpload,
      { params: { sha256 }, query: { offset: 100, length: bytes.length } },
      (async function* () {
        yield bytes.subarray(100, 2 * MIB);
        await stopping.promise;
        yield bytes.subarray(2 * MIB);
      })(),
    );
    // A round trip each: the wait, sent before, has arrived as well by then.
    while ((await operator.call(endpoints.showUpload, { params: { sha256 } })).received < MIB);
    program.signal('SIGTERM');
    assert.equal(await waits, null);
    stopping.resolve();
    assert.deepEqual(await upload, { received: bytes.length, complete: true });
    assert.equal(await program.ended, 0);
    assert.deepEqual(
      program.lines.filter(({ level = 0 }) => level > 30),
      [],
    );
  });
});

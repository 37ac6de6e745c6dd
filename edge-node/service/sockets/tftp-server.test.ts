import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR, encode } from '@bootswarm/edge-node/tftp';
import fc from 'fast-check';
import { FakeTftpClient } from '../testing/fake-tftp-client.ts';
import { PATH_ESCAPES } from '../testing/path-escapes.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { Counters } from './counters.ts';
import { TftpServer, type TftpService } from './tftp-server.ts';

const LOCALHOST = '127.0.0.1';
const firmware = Uint8Array.from({ length: 30_000 }, (_, at) => (at * 7 + (at >> 8)) % 256);
const LONG = Buffer.from(Uint8Array.from({ length: 400_000 }, (_, at) => (at * 13 + (at >> 9)) % 256));
const FILES = new Map([
  ['undionly.kpxe', firmware],
  ['two-blocks', firmware.subarray(0, 1024)],
  ['empty', new Uint8Array()],
  ['text', new Uint8Array(Buffer.from('one\ntwo\rthree\r\n'))],
]);

interface Bench {
  readonly server: TftpServer;
  readonly counters: Counters;
  readonly endings: string[];
  readonly client: () => Promise<FakeTftpClient>;
}

const inFiles: TftpService['fileOf'] = ({ file }) => {
  const bytes = FILES.get(file.replace(/^\/+/, ''));
  return bytes && { bytes };
};

async function withServer(
  run: (bench: Bench) => Promise<void>,
  options: Partial<Pick<TftpService, 'isSinglePort' | 'capsOf' | 'fileOf'>> = {},
): Promise<void> {
  const counters = new Counters();
  const endings: string[] = [];
  const clients: FakeTftpClient[] = [];
  const server = await TftpServer.start({
    addresses: [LOCALHOST],
    port: 0,
    fileOf: inFiles,
    capsOf: () => ({ maxBlockBytes: 1408, maxWindow: 16 }),
    onEnd: ({ file }, ending) => endings.push(`${file}: ${ending}`),
    ...options,
    counters,
    log: quietLog().log,
  });
  const client = async (): Promise<FakeTftpClient> => {
    const made = await FakeTftpClient.bind(server.port);
    clients.push(made);
    return made;
  };
  try {
    await run({ server, counters, endings, client });
  } finally {
    for (const each of clients) each.close();
    await server.stop();
  }
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('TFTP', () => {
  for (const [file, options] of [
    ['undionly.kpxe', {}],
    ['/undionly.kpxe', { blksize: '1408', tsize: '0' }],
    ['undionly.kpxe\u00ff', { blksize: '1024', windowsize: '4' }],
    ['two-blocks', {}],
    ['empty', { tsize: '0' }],
  ] as const)
    test(`sends ${JSON.stringify(file)} with ${JSON.stringify(options)}, byte by byte`, () =>
      withServer(async ({ client, endings }) => {
        const name = file.replace(/^\/|\u00ff$/g, '');
        assert.deepEqual(await (await client()).fetch(file, options), FILES.get(name));
        await until(() => endings.length > 0);
        assert.deepEqual(endings, [`${file.replace('\u00ff', '')}: complete`]);
      }));

  test('sends text as netascii', () =>
    withServer(async ({ client }) => {
      const text = await (await client()).fetch('text', {}, 'netascii');
      assert.equal(Buffer.from(text).toString(), 'one\r\ntwo\r\0three\r\0\r\n');
    }));

  test('tells length and the options that were asked, with blocks that fit a tunnel', () =>
    withServer(async ({ client }) => {
      const probe = await client();
      probe.request('undionly.kpxe', { tsize: '0', blksize: '1468', timeout: '3', multicast: '' });
      const answer = await probe.next();
      assert.ok(answer.kind === 'oack');
      assert.deepEqual(Object.fromEntries(answer.options), { tsize: '30000', blksize: '1408', timeout: '3' });
    }));

  test('takes a probe that hangs up for no failure', () =>
    withServer(async ({ client, endings }) => {
      const probe = await client();
      probe.request('undionly.kpxe', { tsize: '0' });
      await probe.next();
      probe.send({ kind: 'error', code: ERROR.optionsRefused, message: '' });
      await until(() => endings.length > 0);
      assert.deepEqual(endings, ['undionly.kpxe: aborted by client']);
    }));

  test('refuses what is to be written, and does not know what is not there', () =>
    withServer(async ({ client, counters }) => {
      const writer = await client();
      writer.sendRaw(encode({ kind: 'wrq', file: 'undionly.kpxe', mode: 'octet', options: new Map() }));
      const refusal = await writer.next();
      assert.ok(refusal.kind === 'error' && refusal.code === ERROR.accessViolation);
      await assert.rejects(writer.fetch('vmlinuz'), /^Error: 1 there is no file vmlinuz$/);
      const refused = { 'tftp refused: error 1': 1, 'tftp refused: error 2': 1 };
      await until(() => Object.keys(counters.toJSON()).length === 2);
      assert.deepEqual(counters.toJSON(), refused);
    }));

  test(`yields nothing to ${PATH_ESCAPES.length} paths that try to escape`, () =>
    withServer(async ({ client, server }) => {
      const prober = await client();
      for (const path of PATH_ESCAPES) {
        const name = Buffer.from(path).toString('latin1').split('\0')[0] || '/';
        prober.request(name);
        const answer = await prober.next();
        assert.ok(answer.kind === 'error' && answer.code === ERROR.fileNotFound, JSON.stringify(path));
      }
      await until(() => server.running === 0);
    }));

  test('counts and drops what is malformed, and serves on', () =>
    withServer(async ({ client, counters, endings }) => {
      const attacker = await client();
      const junk = fc.sample(
        fc.oneof(
          fc.uint8Array({ maxLength: 600 }),
          // An opcode that there is, then anything.
          fc
            .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 7), fc.uint8Array({ maxLength: 100 }))
            .map(([opcode, rest]) => Uint8Array.of(0, opcode, ...rest)),
        ),
        { numRuns: 1500, seed: 20260101 },
      );
      for (const [index, bytes] of junk.entries()) {
        attacker.sendRaw(bytes);
        // No faster than a socket's buffer takes it.
        if (index % 50 === 49) await sleep(2);
      }
      assert.deepEqual(await (await client()).fetch('two-blocks'), FILES.get('two-blocks'));
      await until(() => endings.length > 0);
      const { 'tftp complete': complete, ...counts } = counters.toJSON();
      assert.equal(complete, 1);
      const counted = Object.values(counts).reduce((sum, count) => sum + count, 0);
      assert.ok(counted > 1400, `${counted} of 1500 in ${Object.keys(counts)}`);
      assert.ok((counts['tftp malformed: unknown opcode'] ?? 0) > 100);
    }));

  test('starts one transfer for a request that comes twice', () =>
    withServer(async ({ client, counters, server }) => {
      const stutterer = await client();
      for (let times = 0; times < 3; times++) stutterer.request('undionly.kpxe');
      assert.equal((await stutterer.next()).kind, 'data');
      await sleep(50);
      assert.equal(stutterer.left, 0);
      assert.equal(server.running, 1);
      assert.equal(counters.toJSON()['tftp passed over: request repeated'], 2);
    }));

  test('begins anew for a client that asks for something else from the same port', () =>
    withServer(async ({ client, endings }) => {
      const rom = await client();
      // The last block is left unacknowledged, as some ROMs do.
      rom.request('empty');
      await rom.next();
      assert.deepEqual(await rom.fetch('undionly.kpxe', { blksize: '1408' }), firmware);
      assert.equal(endings[0], 'empty: superseded by a new request');
    }));

  test('begins anew for a client that was reset amid a transfer and uses its port again', () =>
    withServer(async ({ client, endings }) => {
      const rom = await client();
      rom.request('undionly.kpxe');
      await rom.next();
      rom.send({ kind: 'ack', block: 1 });
      await rom.next();
      // Silence, until the server sends the second block again.
      assert.equal((await rom.next()).kind, 'data');
      assert.deepEqual(await rom.fetch('undionly.kpxe'), firmware);
      assert.equal(endings[0], 'undionly.kpxe: superseded by a new request');
    }));

  test('tells a stranger on the port of a transfer to go, and goes on with the transfer', () =>
    withServer(async ({ client, server }) => {
      const [owner, stranger] = [await client(), await client()];
      owner.request('two-blocks');
      await owner.next();
      stranger.send({ kind: 'error', code: 0, message: 'stop' }, owner.transferPort);
      const refusal = await stranger.next();
      assert.ok(refusal.kind === 'error' && refusal.code === ERROR.unknownTransfer);
      assert.equal(server.running, 1);
      owner.send({ kind: 'ack', block: 1 });
      const second = await owner.next();
      assert.ok(second.kind === 'data' && second.block === 2);
    }));

  test('bounds descriptors under 3000 requests that nobody goes on with', () =>
    withServer(async ({ client, server, counters }) => {
      const before = descriptors();
      // Sixty at a time, each from a port of its own: what is closed before it is answered was spoofed.
      for (let round = 0; round < 50; round++) {
        const attackers = await Promise.all(Array.from({ length: 60 }, client));
        // A minute's patience: nothing ends by silence while this runs.
        for (const attacker of attackers) attacker.request('undionly.kpxe', { timeout: '60' }, 'netascii');
        await sleep(10);
        for (const attacker of attackers) attacker.close();
      }
      // Amid them, who is real is served: what is never acknowledged makes room.
      assert.deepEqual(await (await client()).fetch('undionly.kpxe'), firmware);
      await sleep(50);
      assert.ok(server.running > 1000 && server.running <= 2000, `${server.running} transfers`);
      assert.ok(descriptors() - before <= 2000 + 50, `${descriptors() - before} descriptors`);
      assert.ok((counters.toJSON()['tftp given up for a newer request'] ?? 0) > 300);
    }));

  test('tells a repeated request again what its client did not hear', () =>
    withServer(async ({ client }) => {
      const deaf = await client();
      deaf.request('undionly.kpxe', { blksize: '1024' });
      assert.equal((await deaf.next()).kind, 'oack');
      await sleep(600);
      deaf.request('undionly.kpxe', { blksize: '1024' });
      // Sooner than the server's own next try, after a second.
      assert.equal((await deaf.next(200)).kind, 'oack');
    }));

  test('serves a file twice to a client whose last ACK and next request cross', () =>
    withServer(async ({ client }) => {
      const hasty = await client();
      hasty.request('two-blocks', { blksize: '512', windowsize: '4' });
      await hasty.next();
      hasty.send({ kind: 'ack', block: 0 });
      for (const block of [1, 2, 3]) assert.ok((await hasty.next()).kind === 'data', `${block}`);
      hasty.request('two-blocks', { blksize: '512', windowsize: '4' });
      await sleep(20);
      hasty.send({ kind: 'ack', block: 3 });
      // Sooner than a window of the first transfer that is sent again.
      assert.equal((await hasty.next(700)).kind, 'oack');
    }));

  test('goes on when a double of the request comes late, behind all that was sent', () =>
    withServer(async ({ client, endings }) => {
      const patient = await client();
      patient.request('two-blocks');
      for (const block of [1, 2]) {
        await patient.next();
        patient.send({ kind: 'ack', block });
      }
      assert.ok((await patient.next()).kind === 'data');
      patient.request('two-blocks');
      await sleep(20);
      assert.deepEqual([patient.left, endings.length], [0, 0]);
      patient.send({ kind: 'ack', block: 3 });
      await until(() => endings.length === 1);
      assert.equal(endings[0], 'two-blocks: complete');
    }));

  test('keeps to the caps of the client, down to a block at a time', () =>
    withServer(
      async ({ client }) => {
        const probe = await client();
        probe.request('undionly.kpxe', { blksize: '1468', windowsize: '8' });
        const answer = await probe.next();
        assert.ok(answer.kind === 'oack');
        assert.deepEqual(Object.fromEntries(answer.options), { blksize: '1024', windowsize: '2' });
      },
      { capsOf: (address) => ({ maxBlockBytes: address === LOCALHOST ? 1024 : 8, maxWindow: 2 }) },
    ));

  test('sends windows longer than a datagram may be, block by block', () =>
    withServer(
      async ({ client }) => {
        const options = { blksize: '9000', windowsize: '8' };
        const long = await (await client()).fetch('long', options);
        assert.ok(Buffer.from(long).equals(LONG));
      },
      { capsOf: () => ({ maxBlockBytes: 9000, maxWindow: 16 }), fileOf: () => ({ bytes: LONG }) },
    ));

  test('waits for a file that is still being read', () =>
    withServer(
      async ({ client }) => assert.deepEqual(await (await client()).fetch('undionly.kpxe'), firmware),
      {
        fileOf: async (request) => {
          await sleep(30);
          return inFiles(request);
        },
      },
    ));

  test('says that a name is forbidden, or that the edge failed, and serves on', () =>
    withServer(
      async ({ client }) => {
        await assert.rejects((await client()).fetch('secret'), /^Error: 2 /);
        await assert.rejects((await client()).fetch('broken'), /^Error: 0 the edge failed$/);
        assert.deepEqual(await (await client()).fetch('undionly.kpxe'), firmware);
      },
      {
        fileOf: (request) => {
          if (request.file === 'broken') throw new Error('a bug');
          return request.file === 'secret' ? 'forbidden' : inFiles(request);
        },
      },
    ));
});

describe('TFTP on a single port', () => {
  const single = { isSinglePort: true };

  test('answers everything from the port that was asked', () =>
    withServer(async ({ client, server, endings }) => {
      const clients = await Promise.all(Array.from({ length: 20 }, client));
      const before = descriptors();
      const came = await Promise.all(
        clients.map((each) => each.fetch('undionly.kpxe', { blksize: '1024', windowsize: '4' })),
      );
      for (const [index, bytes] of came.entries()) {
        assert.deepEqual(bytes, firmware);
        assert.equal(clients[index]?.transferPort, server.port);
      }
      assert.ok(descriptors() <= before);
      await until(() => endings.length === 20);
    }, single));

  test('takes no part in a transfer from a stranger, and tells it nothing', () =>
    withServer(async ({ client, counters }) => {
      const [owner, stranger] = [await client(), await client()];
      owner.request('two-blocks');
      await owner.next();
      stranger.send({ kind: 'ack', block: 1 }, owner.transferPort);
      await until(() => counters.toJSON()['tftp passed over: ack on port 69'] === 1);
      assert.deepEqual([owner.left, stranger.left], [0, 0]);
    }, single));
});

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 3000; !holds(); await sleep(1))
    if (Date.now() > deadline) throw new Error('it did not come to that');
}

test('a stopped server has let everything go', async () => {
  const before = descriptors();
  await withServer(async ({ client }) => {
    const patient = await client();
    patient.request('undionly.kpxe');
    await patient.next();
    // One more, whose socket is still being bound when the server stops.
    (await client()).request('undionly.kpxe');
    await sleep(1);
  });
  await sleep(20);
  assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`);
});

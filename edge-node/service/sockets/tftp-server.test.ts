import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, ERROR, encode, type TftpMode, type TftpPacket } from '@bootswarm/edge-node/tftp';
import fc from 'fast-check';
import { PATH_ESCAPES } from '../testing/path-escapes.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { Counters } from './counters.ts';
import { TftpServer } from './tftp-server.ts';

const LOCALHOST = '127.0.0.1';
const firmware = Uint8Array.from({ length: 30_000 }, (_, at) => (at * 7 + (at >> 8)) % 256);
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
  readonly client: () => Promise<FakeClient>;
}

async function withServer(run: (bench: Bench) => Promise<void>): Promise<void> {
  const counters = new Counters();
  const endings: string[] = [];
  const clients: FakeClient[] = [];
  const server = await TftpServer.start({
    address: LOCALHOST,
    port: 0,
    fileOf: (name) => FILES.get(name),
    onEnd: (_, file, ending) => endings.push(`${file}: ${ending}`),
    counters,
    log: quietLog().log,
  });
  const client = async (): Promise<FakeClient> => {
    const made = await FakeClient.bind(server.port);
    clients.push(made);
    return made;
  };
  try {
    await run({ server, counters, endings, client });
  } finally {
    for (const each of clients) each.close();
    server.stop();
  }
}

/** A client's socket: everything that comes is kept until it is taken. */
class FakeClient {
  readonly #socket: Socket;
  readonly #serverPort: number;
  readonly #came: { packet: TftpPacket; from: RemoteInfo }[] = [];
  #isClosed = false;
  /** Port of the transfer that last answered. */
  transferPort = 0;

  private constructor(socket: Socket, serverPort: number) {
    this.#socket = socket;
    this.#serverPort = serverPort;
    socket.on('message', (bytes, from) => {
      const decoded = decode(bytes);
      assert.ok(decoded.ok);
      this.#came.push({ packet: decoded.packet, from });
    });
  }

  static async bind(serverPort: number): Promise<FakeClient> {
    const socket = createSocket('udp4');
    socket.bind(0, LOCALHOST);
    await once(socket, 'listening');
    return new FakeClient(socket, serverPort);
  }

  /** Closing twice is no error. */
  close(): void {
    if (!this.#isClosed) this.#socket.close();
    this.#isClosed = true;
  }

  sendRaw(bytes: Uint8Array, port = this.#serverPort): void {
    this.#socket.send(bytes, port, LOCALHOST);
  }

  send(packet: TftpPacket, port = this.transferPort): void {
    this.sendRaw(encode(packet), port);
  }

  request(file: string, options: Readonly<Record<string, string>> = {}, mode: TftpMode = 'octet'): void {
    this.send({ kind: 'rrq', file, mode, options: new Map(Object.entries(options)) }, this.#serverPort);
  }

  async next(timeoutMs = 3000): Promise<TftpPacket> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(1)) {
      const came = this.#came.shift();
      if (!came) continue;
      this.transferPort = came.from.port;
      return came.packet;
    }
    throw new Error('nothing came');
  }

  /** How many packets came that nobody took. */
  get left(): number {
    return this.#came.length;
  }

  async fetch(
    file: string,
    options: Readonly<Record<string, string>> = {},
    mode: TftpMode = 'octet',
  ): Promise<Uint8Array> {
    this.request(file, options, mode);
    const parts: Uint8Array[] = [];
    const blockBytes = Number(options['blksize'] ?? 512);
    const windowSize = Number(options['windowsize'] ?? 1);
    for (;;) {
      const packet = await this.next();
      if (packet.kind === 'oack') this.send({ kind: 'ack', block: 0 });
      if (packet.kind === 'error') throw new Error(`${packet.code} ${packet.message}`);
      if (packet.kind !== 'data') continue;
      assert.equal(packet.block, parts.length + 1);
      parts.push(packet.bytes);
      const isLast = packet.bytes.length < blockBytes;
      if (isLast || parts.length % windowSize === 0) this.send({ kind: 'ack', block: packet.block });
      if (isLast) return Uint8Array.from(Buffer.concat(parts));
    }
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
        while (endings.length === 0) await sleep(1);
        assert.deepEqual(endings, [`${name}: complete`]);
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
      while (endings.length === 0) await sleep(1);
      assert.deepEqual(endings, ['undionly.kpxe: aborted by client']);
    }));

  test('refuses what is to be written, and does not know what is not there', () =>
    withServer(async ({ client, counters }) => {
      const writer = await client();
      writer.sendRaw(encode({ kind: 'wrq', file: 'undionly.kpxe', mode: 'octet', options: new Map() }));
      const refusal = await writer.next();
      assert.ok(refusal.kind === 'error' && refusal.code === ERROR.accessViolation);
      await assert.rejects(writer.fetch('vmlinuz'), /^Error: 1 there is no file vmlinuz$/);
      assert.deepEqual(counters.toJSON(), { 'tftp refused: error 1': 1, 'tftp refused: error 2': 1 });
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
      assert.equal(server.running, 0);
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
      while (endings.length === 0) await sleep(1);
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
        for (const attacker of attackers) attacker.request('undionly.kpxe', {}, 'netascii');
        await sleep(10);
        for (const attacker of attackers) attacker.close();
      }
      await sleep(50);
      assert.ok(server.running <= 2000, `${server.running} transfers`);
      assert.ok(descriptors() - before <= 2000, `${descriptors() - before} descriptors`);
      assert.ok((counters.toJSON()['tftp passed over: too many transfers'] ?? 0) > 500);
    }));
});

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

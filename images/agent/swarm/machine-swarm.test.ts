import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type Artefact,
  compactPeers,
  digestOf,
  encodeAnnounceAnswer,
  type PeerAddress,
  parseAnnounce,
} from '@bootswarm/images/format';
import { MemoryPieces, SwarmNode } from '@bootswarm/images/swarm';
import { MachineSwarm, neighbours } from './machine-swarm.ts';

const PIECE_BYTES = 64 * 1024;
const bytes = randomFillSync(Buffer.allocUnsafe(30 * PIECE_BYTES + 17));
const never = new AbortController().signal;

/** What an edge does for a swarm: it is its tracker, its first peer, and what gives its bytes by HTTP. */
class FakeEdge {
  readonly peers: PeerAddress[] = [];
  readonly ranges: string[] = [];
  readonly #server: Server;
  #node: SwarmNode | undefined;

  constructor() {
    this.#server = createServer((request, response) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      if (path !== '/announce') {
        const { range = '' } = request.headers;
        this.ranges.push(range);
        const [, start = 0, last = 0] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).map(Number);
        const part = bytes.subarray(start, last + 1);
        response.writeHead(206, { 'content-length': part.length }).end(part);
        return;
      }
      const told = this.peers.slice();
      this.peers.push({ host: '127.0.0.1', port: parseAnnounce(query).port });
      response.end(
        encodeAnnounceAnswer({
          ...{ intervalSeconds: 1800, minIntervalSeconds: 15, complete: 1, incomplete: 1 },
          peers: compactPeers(told),
        }),
      );
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Gives the artefact as a peer, too. */
  async seed(artefact: Artefact): Promise<SwarmNode> {
    this.#node = await SwarmNode.listen({ host: '127.0.0.1', isAllowed: () => true });
    this.#node.join(artefact, artefact.infohash ?? '', new MemoryPieces(artefact, bytes), { isEdge: true });
    this.peers.push({ host: '127.0.0.1', port: this.#node.port });
    return this.#node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await this.#node?.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('what a machine shares with its neighbours', { timeout: 60_000 }, () => {
  let folder: string;
  let artefact: Artefact;
  let edge: FakeEdge;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootswarm-swarm-'));
    const { sha256, pieces } = await digestOf([bytes] as never, () => {}, PIECE_BYTES);
    artefact = {
      ...{ role: 'root', name: 'root.squashfs', length: bytes.length, sha256, pieceBytes: PIECE_BYTES },
      pieces: [...pieces],
      infohash: createHash('sha1').update(sha256).digest('hex'),
    };
  });

  after(() => rm(folder, { recursive: true }));

  const opened = (said: string[] = []): Promise<MachineSwarm> =>
    MachineSwarm.open({
      terms: { subnet: '127.0.0.0/24', edge: '127.0.0.1' },
      edgeUrl: edge.url,
      say: (line) => said.push(line),
      signal: never,
    });

  async function withEdge(run: () => Promise<void>): Promise<void> {
    edge = new FakeEdge();
    await edge.start();
    try {
      await run();
    } finally {
      await edge.stop();
    }
  }

  test('three machines fetch of their edge and of each other, and not by HTTP', () =>
    withEdge(async () => {
      await edge.seed(artefact);
      const told: number[] = [];
      const swarms = [await opened(), await opened(), await opened()];
      try {
        const wholes = await Promise.all(
          swarms.map((swarm, at) => swarm.fetch(artefact, join(folder, `m${at}`), (done) => told.push(done))),
        );
        assert.deepEqual(wholes, [true, true, true]);
        for (const at of swarms.keys()) assert.ok(bytes.equals(await readFile(join(folder, `m${at}`))));
        assert.equal(Math.max(...told), bytes.length);
        assert.deepEqual(edge.ranges, []);
        const sums = swarms.map(({ progress }) => progress);
        for (const each of sums) assert.ok(each && each.fromNeighbours + each.fromEdge >= bytes.length);
        assert.ok(sums.some((each) => each && each.fromNeighbours > 0));
        // Nobody fetches any more: nobody is waited for.
        await swarms[0]?.untilSpared({ idleMs: 1, aloneMs: 1, mostMs: 60_000 }, never, () => {});
      } finally {
        await Promise.all(swarms.map((swarm) => swarm.end()));
      }
      assert.equal(swarms[0]?.progress, undefined);
    }));

  test('alone it fetches by HTTP, and what a file holds already is not fetched again', () =>
    withEdge(async () => {
      const said: string[] = [];
      const path = join(folder, 'alone');
      {
        await using swarm = await opened(said);
        assert.equal(await swarm.fetch(artefact, path, () => {}), true);
        assert.equal(swarm.progress?.fromHttp, bytes.length);
      }
      assert.ok(bytes.equals(await readFile(path)));
      assert.match(said[0] ?? '', /by HTTP \(1966097\)/);
      const asked = edge.ranges.length;
      await using again = await opened();
      assert.equal(await again.fetch(artefact, path, () => {}), true);
      assert.equal(edge.ranges.length, asked);
    }));

  test('a machine that has all of it waits for a neighbour that fetches, and not for ever', () =>
    withEdge(async () => {
      await using giver = await opened();
      await giver.fetch(artefact, join(folder, 'giver'), () => {});
      await using slow = await MachineSwarm.open({
        terms: { subnet: '127.0.0.0/24', edge: '127.0.0.1' },
        edgeUrl: edge.url,
        say: () => {},
        signal: never,
      });
      const waits: number[] = [];
      const fetching = slow.fetch(artefact, join(folder, 'taker'), () => {});
      await Promise.all([
        fetching,
        giver.untilSpared({ idleMs: 4_000, aloneMs: 1_000, mostMs: 60_000 }, never, (n) => waits.push(n)),
      ]);
      assert.equal(slow.progress?.fromNeighbours, bytes.length);
      assert.equal(giver.progress?.given, bytes.length);
    }));
});

test('neighbours are the machines of the segment, and its edge', () => {
  const isAllowed = neighbours('10.1.2.0/24', '10.9.9.9');
  const asked = ['10.1.2.7', '10.9.9.9', '10.1.3.7', '10.1.2.0', '10.1.2.255', '127.0.0.1'];
  assert.deepEqual(asked.filter(isAllowed), ['10.1.2.7', '10.9.9.9']);
});

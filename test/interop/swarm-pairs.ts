import { createReadStream, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  announceQuery,
  artefactTorrent,
  decodeAnnounceAnswer,
  peerAddresses,
  torrentDigestOf,
} from '@bootswarm/images/format';
import type { Host, Lab, Process, Segment } from '../lab/index.ts';
import { type SharedArtefact, SwarmPeer } from '../swarm/index.ts';
import { CLIENT_NAMES, startClient } from './swarm-clients.ts';

const HTTP_PORT = 8480;
/** Of the edge, which gives as well: here peers are meant to. */
const EDGE_SWARM_PORT = 8481;
const TOLD_MS = 40_000;
/** One announce that came too early is repeated after 30 s. */
const COMPLETE_MS = 90_000;
/** Last byte of the watcher's address, above the pool. Each round's giver and taker follow. */
const WATCHER = 201;

type Way = 'from ours' | 'to ours';
const WAYS: readonly Way[] = ['from ours', 'to ours'];

/** What is given by one and fetched by another: `aria2, from ours`. */
export const SWARM_ROWS: readonly string[] = CLIENT_NAMES.flatMap(rowsOf);

export function rowsOf(client: string): readonly string[] {
  return WAYS.map((way) => `${client}, ${way}`);
}

/** Hosts of a segment that give and fetch by the edge's tracker and without the edge's help. */
export class SwarmPairs {
  readonly #lab: Lab;
  readonly #segment: Segment;
  readonly #watcher: Host;
  readonly #shared: SharedArtefact;
  readonly #torrent: string;
  #rounds = 0;

  private constructor(lab: Lab, segment: Segment, watcher: Host, shared: SharedArtefact, torrent: string) {
    this.#lab = lab;
    this.#segment = segment;
    this.#watcher = watcher;
    this.#shared = shared;
    this.#torrent = torrent;
  }

  /** @param shared the root of a release that the segment's edge has. */
  static async lay(lab: Lab, segment: Segment, shared: SharedArtefact): Promise<SwarmPairs> {
    const watcher = await segment.addHost('watcher', { address: segment.subnet.address(WATCHER) });
    return new SwarmPairs(lab, segment, watcher, shared, await layTorrent(lab, segment, shared));
  }

  /** Lets one fetch all of the artefact of the other. @throws where it does not, or where other bytes come. */
  async run(row: string): Promise<void> {
    const [client = '', way] = row.split(', ');
    const { artefact, original } = this.#shared;
    this.#rounds += 1;
    const folder = join(this.#lab.folder, `${this.#segment.label}-pair${this.#rounds}`);
    const [from, to] = [join(folder, 'giver'), join(folder, 'taker')];
    // Of this round alone: the tracker remembers for a minute who was killed, and some clients know one port of an address.
    const addresses = {
      giver: this.#segment.subnet.address(WATCHER + 2 * this.#rounds - 1),
      taker: this.#segment.subnet.address(WATCHER + 2 * this.#rounds),
    };
    const [giver, taker] = [
      await this.#addHost(`giver${this.#rounds}`, addresses.giver),
      await this.#addHost(`taker${this.#rounds}`, addresses.taker),
    ];
    const started: Process[] = [];
    const theirs = async (host: Host, at: string): Promise<Process> => {
      const process = await startClient(host, client, {
        ...{ folder: at, name: artefact.sha256, torrent: this.#torrent },
      });
      started.push(process);
      return process;
    };
    const ours = async (host: Host, at: string, isSeed: boolean): Promise<SwarmPeer> => {
      const path = join(at, artefact.sha256);
      const trackerUrl = announceUrl(this.#segment);
      const peer = await SwarmPeer.start(host, this.#segment, this.#shared, {
        ...{ folder, path, isSeed, trackerUrl },
      });
      started.push(peer.process);
      return peer;
    };
    try {
      for (const at of [from, to]) await this.#must(giver, ['mkdir', '-p', at]);
      await this.#must(giver, ['cp', original, join(from, artefact.sha256)]);
      if (way === 'from ours') await ours(giver, from, true);
      else await theirs(giver, from);
      await this.#untilTold(addresses.giver);
      if (way === 'from ours') await (await theirs(taker, to)).waitForLine(/^complete$/, COMPLETE_MS);
      else await (await ours(taker, to, false)).complete(COMPLETE_MS);
      if (!readFileSync(join(to, artefact.sha256)).equals(readFileSync(original)))
        throw new Error('other bytes came');
    } finally {
      // At a SIGTERM aria2 would not say that it stops.
      await Promise.all(started.map((process) => process.stop('SIGINT')));
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Adds a host that the edge gives nothing to, but for its tracker. */
  async #addHost(name: string, address: string): Promise<Host> {
    const host = await this.#segment.addHost(name, { address });
    const reject = `tcp dport ${EDGE_SWARM_PORT} reject with tcp reset`;
    const chain = `chain output { type filter hook output priority 0; ${reject}; }`;
    await this.#must(host, ['nft', `table inet alone { ${chain}; }`]);
    return host;
  }

  /** Resolves when the edge tells a machine of the giver. */
  async #untilTold(giver: string): Promise<void> {
    const into = join(this.#lab.folder, `${this.#segment.label}-told`);
    const { infohash = '' } = this.#shared.artefact;
    const announce = { infohash, port: 1, left: 1, event: undefined, wantedPeers: undefined };
    for (const deadline = Date.now() + TOLD_MS; Date.now() < deadline; await sleep(100)) {
      const query = announceQuery(announce, new Uint8Array(20));
      await this.#must(this.#watcher, ['curl', '-fsS', '-o', into, `${announceUrl(this.#segment)}?${query}`]);
      const { peers } = decodeAnnounceAnswer(readFileSync(into));
      if (peerAddresses(peers).some((peer) => peer.host === giver)) return;
    }
    throw new Error('the tracker was not told of the giver');
  }

  async #must(host: Host, argv: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await host.run(argv);
    if (code !== 0) throw new Error(`${argv[0]} ended with ${code}: ${stderr}${stdout}`);
  }
}

/** Writes the artefact's torrent as it is for a segment, without a webseed. @returns its path. */
export async function layTorrent(
  { folder }: Lab,
  segment: Segment,
  { artefact, original }: SharedArtefact,
): Promise<string> {
  const { sha1Pieces } = await torrentDigestOf(createReadStream(original));
  const { bytes, infohash } = artefactTorrent(artefact, sha1Pieces, { announce: announceUrl(segment) });
  if (infohash !== artefact.infohash) throw new Error(`the torrent has the infohash ${infohash}`);
  const torrent = join(folder, `${segment.label}.torrent`);
  writeFileSync(torrent, bytes);
  return torrent;
}

export function announceUrl({ edgeAddress }: Segment): string {
  return `http://${edgeAddress}:${HTTP_PORT}/announce`;
}

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Artefact,
  announceQuery,
  artefactOf,
  artefactTorrent,
  decodeAnnounceAnswer,
  peerAddresses,
  torrentDigestOf,
} from '@bootswarm/images/format';
import { type Site, writeBuildFolder } from '../boot/index.ts';
import type { Host, Lab, Segment } from '../lab/index.ts';
import { layClientSite } from './client-site.ts';

const HTTP_PORT = 8480;
const PEER_PORT = 6881;
/** Nothing but the tracker tells of peers. */
const ARIA2 = [
  ...['aria2c', '--no-conf', '--enable-dht=false', '--enable-peer-exchange=false', '--bt-enable-lpd=false'],
  ...['--file-allocation=none', '--console-log-level=warn', '--summary-interval=0', '--allow-overwrite=true'],
  ...[`--listen-port=${PEER_PORT}`, '--stop-with-process', String(process.pid)],
];
const root = Uint8Array.from({ length: 5_000_000 }, (_, at) => (at * 31 + (at >> 8)) % 256);

describe('a BitTorrent client that knows nothing of manifests', { timeout: 600_000 }, () => {
  let lab: Lab;
  let site: Site;
  let relayed: Segment;
  let direct: Segment;
  let artefact: Artefact;

  before(async () => {
    ({ lab, site, relayed, direct } = await layClientSite('torrents'));
    const small = new Uint8Array([1, 2, 3]);
    const build = await writeBuildFolder(`${lab.folder}/build`, { kernel: small, initramfs: small, root });
    artefact = artefactOf(build, 'root');
    const release = await site.publish(`${lab.folder}/build`);
    await site.bootswarm('machine', 'boot', '52:54:00:00:00:01', 'live', release);
    await site.releaseReady(release);
  });

  after(() => lab[Symbol.asyncDispose]());

  const urlAt = (segment: Segment): string => `http://${segment.edgeAddress}:${HTTP_PORT}`;

  async function must(host: Host, argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await host.run(argv, { timeoutMs: 60_000 });
    assert.equal(code, 0, `${argv[0]}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Of which machines the tracker tells a machine, which then leaves again. */
  async function peersFor(host: Host, segment: Segment): Promise<readonly string[]> {
    const into = `${lab.folder}/${host.label}-announce`;
    const { infohash = '' } = artefact;
    const ask = async (event: 'started' | 'stopped'): Promise<readonly string[]> => {
      const announce = { infohash, port: 1, left: 1, event, wantedPeers: undefined };
      const query = announceQuery(announce, new Uint8Array(20));
      await must(host, ['curl', '-fsS', '-o', into, `${urlAt(segment)}/announce?${query}`]);
      const { peers } = decodeAnnounceAnswer(readFileSync(into));
      return peerAddresses(peers)
        .map((peer) => peer.host)
        .filter((address) => address !== segment.edgeAddress);
    };
    const peers = await ask('started');
    await ask('stopped');
    return peers;
  }

  test('aria2 takes the torrent from the edge and fetches by its webseed', async () => {
    for (const segment of [relayed, direct]) {
      const host = await segment.addHost('webseed', { address: segment.subnet.address(40) });
      const torrent = `${lab.folder}/${segment.label}.torrent`;
      // The edge reads the artefact first, and says until when to wait.
      const url = `${urlAt(segment)}/torrents/${artefact.sha256}.torrent`;
      await must(host, ['curl', '-fsS', '--retry', '5', '-o', torrent, url]);
      const into = `${lab.folder}/${segment.label}-webseed`;
      await must(host, [...ARIA2, '--seed-time=0', '-d', into, torrent]);
      assert.ok(readFileSync(`${into}/${artefact.sha256}`).equals(root));
    }
  });

  /** @returns path of the artefact's torrent as it is for a segment, without a webseed. */
  async function swarmOnly(segment: Segment): Promise<string> {
    const { sha1Pieces } = await torrentDigestOf(ReadableStream.from([root]));
    const torrent = `${lab.folder}/without-webseed.torrent`;
    const { bytes, infohash } = artefactTorrent(artefact, sha1Pieces, {
      announce: `${urlAt(segment)}/announce`,
    });
    assert.equal(infohash, artefact.infohash);
    writeFileSync(torrent, bytes);
    return torrent;
  }

  test('aria2 is told of the edge by its tracker, and fetches from it as from any peer', async () => {
    const host = await relayed.addHost('alone', { address: relayed.subnet.address(45) });
    const into = `${lab.folder}/from-edge`;
    await must(host, [...ARIA2, '--seed-time=0', '-d', into, await swarmOnly(relayed)]);
    assert.ok(readFileSync(`${into}/${artefact.sha256}`).equals(root));
  });

  test('aria2 finds a neighbour by the tracker; another segment hears of neither', async () => {
    const torrent = await swarmOnly(relayed);
    const [seeder, fetcher, watcher] = await Promise.all(
      [41, 42, 43].map((at) => relayed.addHost(`peer${at}`, { address: relayed.subnet.address(at) })),
    );
    const stranger = await direct.addHost('stranger', { address: direct.subnet.address(44) });
    assert.ok(seeder && fetcher && watcher);
    const from = `${lab.folder}/seed`;
    await must(seeder, ['mkdir', from]);
    writeFileSync(`${from}/${artefact.sha256}`, root);
    const seeding = await seeder.start([
      ...ARIA2,
      '--check-integrity=true',
      '--seed-ratio=0.0',
      '-d',
      from,
      torrent,
    ]);
    const seederAddress = relayed.subnet.address(41);
    for (let tries = 0; tries < 50 && !(await peersFor(watcher, relayed)).includes(seederAddress); tries++)
      await sleep(200);
    assert.deepEqual(await peersFor(watcher, relayed), [seederAddress]);
    assert.deepEqual(await peersFor(stranger, direct), []);

    const into = `${lab.folder}/from-neighbour`;
    await must(fetcher, [...ARIA2, '--seed-time=0', '-d', into, torrent]);
    assert.ok(readFileSync(`${into}/${artefact.sha256}`).equals(root));
    // At a SIGTERM it would not say that it stops.
    await seeding.stop('SIGINT');
    assert.deepEqual(await peersFor(watcher, relayed), []);
  });
});

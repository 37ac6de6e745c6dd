import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type Artefact,
  artefactTorrent,
  digestOf,
  findArtefact,
  type Manifest,
  torrentDigestOf,
} from '@bootswarm/images/format';
import type { Lab, Segment } from '../lab/index.ts';

const HTTP_PORT = 8480;
const EDGE_SWARM_PORT = 8481;
const FETCH_MS = 300_000;

/**
 * Lets aria2, on another host of the segment, fetch a release's root of machines alone: the edge is its tracker, and neither
 * gives it a piece nor a webseed.
 * @param build folder of the release.
 * @returns whether all of it came.
 */
export async function isGivenByMachines(lab: Lab, segment: Segment, build: string): Promise<boolean> {
  const manifest = JSON.parse(readFileSync(`${build}/manifest.json`, 'utf8')) as Manifest;
  const root = findArtefact(manifest, 'root') as Artefact;
  const { sha1Pieces } = await torrentDigestOf(createReadStream(`${build}/${root.name}`));
  const announce = `http://${segment.edgeAddress}:${HTTP_PORT}/announce`;
  const torrent = `${lab.folder}/root.torrent`;
  writeFileSync(torrent, artefactTorrent(root, sha1Pieces, { announce }).bytes);
  const host = await segment.addHost('neighbour', { address: segment.subnet.address(50) });
  const reject = `tcp dport ${EDGE_SWARM_PORT} reject with tcp reset`;
  await host.run([
    'nft',
    `table inet alone { chain output { type filter hook output priority 0; ${reject}; } }`,
  ]);
  const argv = [
    ...['aria2c', '--no-conf', '--enable-dht=false', '--enable-peer-exchange=false', '--bt-enable-lpd=false'],
    ...['--file-allocation=none', '--console-log-level=warn', '--summary-interval=0', '--seed-time=0'],
    ...['--stop-with-process', String(process.pid), '-d', lab.folder, torrent],
  ];
  await host.run(argv, { timeoutMs: FETCH_MS });
  const into = `${lab.folder}/${root.sha256}`;
  if (!existsSync(into)) return false;
  const { sha256 } = await digestOf(createReadStream(into));
  rmSync(into);
  return sha256 === root.sha256;
}

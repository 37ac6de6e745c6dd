import { randomFillSync } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compactPeers, torrentDigestOf, torrentFile } from '@bootswarm/images/format';
import type { Endpoint } from '@bootswarm/images/swarm';

const NAME = 'root.squashfs';
const MIB = 1024 * 1024;

/** What is given and fetched, and how each client is told of it. */
export interface Laid {
  readonly torrent: string;
  readonly artefact: string;
  readonly infohash: string;
  /** Folder of the seed. */
  readonly seed: string;
  /** A program that says `complete`. */
  readonly sayComplete: string;
}

/** Where one client runs, and what it knows. */
interface Seat {
  readonly role: 'seed' | 'fetch';
  /** It has the image in here, or puts it here. */
  readonly folder: string;
  readonly listen: Endpoint;
  /** Peers that it is told of beside what a tracker says. */
  readonly others: readonly Endpoint[];
  /** The tracker, for clients that don't read it in the torrent and are to ask it. */
  readonly tracker?: string;
}

/**
 * How a client is started: it says `complete` on a line of its own when it has everything, and gives what it has until
 * it is stopped. Those of `ours` and `libtorrent` say `ready` first and wait for a line.
 */
export type ArgvOf = (laid: Laid, seat: Seat) => readonly string[];

/** The image's place in a client's folder. */
export function imageOf(folder: string): string {
  return join(folder, NAME);
}

export const ours: ArgvOf = (laid, { role, folder, listen, others, tracker }) => [
  process.execPath,
  fileURLToPath(new URL('./swarm-peer.ts', import.meta.url)),
  ...(tracker === undefined ? [] : ['--tracker', tracker]),
  role,
  laid.artefact,
  laid.infohash,
  imageOf(folder),
  ...[listen, ...others].map(({ host, port }) => `${host}:${port}`),
];

/** It knows peers by the torrent's tracker alone, and ends with this process. */
export const aria2: ArgvOf = (laid, { folder, listen }) => [
  'aria2c',
  '--no-conf',
  '--enable-dht=false',
  '--enable-dht6=false',
  '--bt-enable-lpd=false',
  '--enable-peer-exchange=false',
  '--file-allocation=none',
  '--bt-seed-unverified=true',
  '--allow-overwrite=true',
  '--seed-ratio=0.0',
  '--summary-interval=0',
  '--console-log-level=notice',
  '--disable-ipv6=true',
  `--on-bt-download-complete=${laid.sayComplete}`,
  `--stop-with-process=${process.pid}`,
  `--dir=${folder}`,
  `--listen-port=${listen.port}`,
  laid.torrent,
];

export const libtorrent: ArgvOf = (laid, { role, folder, listen, others, tracker }) => [
  '/usr/bin/python3',
  '-c',
  LIBTORRENT,
  role,
  laid.torrent,
  folder,
  tracker === undefined ? '' : tracker,
  ...[listen, ...others].map(({ host, port }) => `${host}:${port}`),
];

/** It checks what it gives first, and knows peers by the torrent's tracker alone. */
export const webtorrent: ArgvOf = (laid, { folder, listen }) => [
  process.execPath,
  fileURLToPath(new URL('../swarm/webtorrent-client.ts', import.meta.url)),
  laid.torrent,
  folder,
  String(listen.port),
];

/** Everything but TCP peers is off; the limits of its defaults (8 slots, mixed with uTP) are those of its own choosing. */
const LIBTORRENT = `
import os, sys, time
import libtorrent as lt
role, torrent, folder, tracker, listen, *others = sys.argv[1:]
session = lt.session({'listen_interfaces': listen, 'enable_dht': False, 'enable_lsd': False,
  'enable_upnp': False, 'enable_natpmp': False, 'allow_multiple_connections_per_ip': True,
  'enable_outgoing_utp': False, 'enable_incoming_utp': False, 'alert_mask': 0})
parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = folder
parameters.trackers = [tracker] if tracker else []
if role == 'seed': parameters.flags |= lt.torrent_flags.seed_mode
print('ready', flush=True)
sys.stdin.readline()
handle = session.add_torrent(parameters)
parent = os.getppid()
while not handle.status().is_seeding and os.getppid() == parent:
  for other in others:
    host, port = other.split(':')
    handle.connect_peer((host, int(port)))
  for _ in range(20):
    time.sleep(0.02)
    if handle.status().is_seeding: break
print('complete', flush=True)
while os.getppid() == parent: time.sleep(1)
`;

/** Writes an image of chance and what tells clients of it into a folder. */
export async function layImage(
  folder: string,
  { bytes, pieceBytes, announce }: { bytes: number; pieceBytes: number; announce: string },
): Promise<Laid> {
  const seed = join(folder, 'seed');
  mkdirSync(seed);
  const path = imageOf(seed);
  const file = openSync(path, 'w');
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < bytes; at += MIB) writeSync(file, randomFillSync(block));
  closeSync(file);
  const { sha1Pieces, ...digest } = await torrentDigestOf(createReadStream(path), undefined, pieceBytes);
  const made = torrentFile({ name: NAME, ...digest, sha1Pieces, announce });
  const [torrent, artefact] = [join(folder, 'root.torrent'), join(folder, 'artefact.json')];
  writeFileSync(torrent, made.bytes);
  writeFileSync(artefact, JSON.stringify({ role: 'root', name: NAME, ...digest }));
  const sayComplete = join(folder, 'complete.sh');
  writeFileSync(sayComplete, '#!/bin/sh\necho complete\n', { mode: 0o755 });
  return { torrent, artefact, infohash: made.infohash, seed, sayComplete };
}

/** What a tracker answers that names the same peers to everyone (BEP 23). Who is not there yet is tried again. */
export function trackerAnswer(peers: readonly Endpoint[]): Buffer {
  const compact = compactPeers(peers);
  return Buffer.concat([Buffer.from(`d8:intervali5e5:peers${compact.length}:`), compact, Buffer.from('e')]);
}

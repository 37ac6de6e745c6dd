import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../boot/index.ts';
import type { Host, Process } from '../lab/index.ts';
import { PEER_PORT } from '../swarm/index.ts';

interface Place {
  readonly folder: string;
  /** Of the file in it, as the torrent says. */
  readonly name: string;
  readonly torrent: string;
  /** A program that says `complete` on a line of its own. */
  readonly sayComplete: string;
  /** For what the client keeps about itself. */
  readonly state: string;
}

/**
 * Other people's BitTorrent clients. Each takes what is in its folder, fetches the rest, says `complete`, and gives until
 * it is stopped. Nothing but the tracker tells them of peers, and nothing but TCP carries bytes.
 */
const CLIENTS: Readonly<Record<string, (place: Place) => readonly string[]>> = {
  aria2: ({ folder, torrent, sayComplete }) => [
    ...['aria2c', '--no-conf', '--enable-dht=false', '--enable-dht6=false', '--enable-peer-exchange=false'],
    ...['--bt-enable-lpd=false', '--disable-ipv6=true', '--file-allocation=none', '--check-integrity=true'],
    ...['--console-log-level=warn', '--summary-interval=0', '--seed-ratio=0.0', '--stderr=true'],
    ...[`--on-bt-download-complete=${sayComplete}`, `--listen-port=${PEER_PORT}`],
    ...[`--stop-with-process=${process.pid}`, '-d', folder, torrent],
  ],
  libtorrent: ({ folder, torrent }) => [
    ...['/usr/bin/python3', '-c', LIBTORRENT, torrent, folder, String(PEER_PORT), String(process.pid)],
  ],
  transmission: ({ folder, name, torrent, sayComplete, state }) => [
    ...[
      'transmission-cli',
      '-g',
      state,
      '-w',
      folder,
      '-p',
      String(PEER_PORT),
      '-M',
      '-D',
      '-U',
      '-f',
      sayComplete,
    ],
    // Without it what is there is not looked at; with it a torrent is first stopped, and then started.
    ...(existsSync(join(folder, name)) ? ['-v', torrent] : [torrent]),
  ],
  webtorrent: ({ folder, torrent }) => [
    ...program('test/swarm/webtorrent-client.ts', torrent, folder, String(PEER_PORT)),
  ],
};

export const CLIENT_NAMES = Object.keys(CLIENTS);

const LIBTORRENT = `
import os, sys, time
import libtorrent as lt
torrent, folder, port, parent = sys.argv[1:]
session = lt.session({'listen_interfaces': '0.0.0.0:' + port, 'enable_dht': False, 'enable_lsd': False,
  'enable_upnp': False, 'enable_natpmp': False, 'enable_outgoing_utp': False, 'enable_incoming_utp': False})
parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = folder
handle = session.add_torrent(parameters)
told = False
while os.path.exists('/proc/' + parent):
  if handle.status().is_seeding and not told:
    print('complete', flush=True)
    told = True
  time.sleep(0.1)
`;

/** transmission has no flags for these. */
const TRANSMISSION = {
  'dht-enabled': false,
  'lpd-enabled': false,
  'pex-enabled': false,
  'utp-enabled': false,
  'port-forwarding-enabled': false,
  preallocation: 0,
};

/** Starts a client on a host. @param at its folder holds what is there already. */
export function startClient(
  host: Host,
  name: string,
  { folder, ...at }: Omit<Place, 'sayComplete' | 'state'>,
): Promise<Process> {
  const argv = CLIENTS[name];
  if (!argv) throw new Error(`there is no client ${name}`);
  mkdirSync(folder, { recursive: true });
  const state = join(folder, 'state');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'settings.json'), JSON.stringify(TRANSMISSION));
  const sayComplete = join(folder, 'complete.sh');
  writeFileSync(sayComplete, '#!/bin/sh\necho complete\n', { mode: 0o755 });
  return host.start(argv({ ...at, folder, sayComplete, state }), { name, filter: withoutProgress });
}

/** transmission tells its progress five times a second. */
function withoutProgress(chunk: string): string {
  return chunk.replace(/\r?Progress: [^\r\n]*/g, '');
}

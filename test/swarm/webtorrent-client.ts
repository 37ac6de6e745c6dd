/**
 * The npm package `webtorrent` as a client: `node webtorrent-client.ts TORRENT FOLDER PORT` takes what is in the folder,
 * fetches the rest, prints `complete`, and gives until it is stopped.
 */
import { createRequire, registerHooks } from 'node:module';

/** What is used of the package, which has no types. */
interface Client {
  on(event: 'error', listener: (error: Error) => void): void;
  add(torrent: string, options: { path: string }, onReady: (torrent: Torrent) => void): void;
}
interface Torrent {
  readonly done: boolean;
  on(event: 'done', listener: () => void): void;
}
type NewClient = new (options: Readonly<Record<string, unknown>>) => Client;

// WebRTC is for browsers, and its binary is downloaded by an install script.
const NO_WEBRTC = 'export const RTCPeerConnection = 0, RTCSessionDescription = 0, RTCIceCandidate = 0;';
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'webrtc-polyfill'
      ? { url: `data:text/javascript,${NO_WEBRTC}`, shortCircuit: true }
      : next(specifier, context),
});

const [torrentPath = '', folder = '', port = ''] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { default: WebTorrent } = require('webtorrent') as { readonly default: NewClient };
// Nothing but TCP, and peers of the tracker alone. It would greet encrypted and, where that is refused, never in plain.
const off = { dht: false, lsd: false, utp: false, utPex: false, natUpnp: false, natPmp: false, secure: 0 };
const client = new WebTorrent({ ...off, torrentPort: Number(port) });
client.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
client.add(torrentPath, { path: folder }, (torrent) => {
  const tell = (): void => void process.stdout.write('complete\n');
  if (torrent.done) tell();
  else torrent.on('done', tell);
});
// It does not outlive who started it.
process.stdin.on('end', () => process.exit()).resume();

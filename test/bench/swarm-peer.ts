/**
 * One peer of the benches of the swarm, in a process of its own.
 * `node swarm-peer.ts [--tracker URL] seed|fetch ARTEFACT.json INFOHASH PATH HOST:PORT [HOST:PORT...]`: listens on the
 * first, connects to the others and to whom the tracker names, says `complete` when it has everything, and goes on until
 * it is stopped. It says `ready` first and waits for a line: an agent runs already when it joins a swarm, so that the
 * start of Node is no part of what is measured.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Artefact } from '@bootswarm/images/format';
import { type Endpoint, FilePieces, keepAnnouncing, SwarmNode } from '@bootswarm/images/swarm';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tracker: { type: 'string' } },
});
const [role, artefactPath = '', infohash = '', path = '', ...places] = positionals;
const [own = endpointOf(''), ...others] = places.map(endpointOf);
const artefact = JSON.parse(readFileSync(artefactPath, 'utf8')) as Artefact;
// Node loads what fetch needs with its first use: a tenth of a second of CPU, and more where 32 do so at once.
if (values.tracker !== undefined) await (await fetch(values.tracker)).bytes();
const node = await SwarmNode.listen({ ...own, isAllowed: () => true });
process.stdout.write('ready\n');
await once(process.stdin, 'data');
// It does not outlive the bench.
process.stdin.on('end', () => process.exit()).resume();
const store =
  role === 'seed' ? await FilePieces.whole(artefact, path) : await FilePieces.resume(artefact, path);
const swarm = node.join(artefact, infohash, store, { isEdge: role === 'seed' });
swarm.addPeers(others);
if (values.tracker !== undefined)
  void keepAnnouncing(
    {
      trackerUrl: values.tracker,
      infohash,
      peerId: randomBytes(20),
      port: own.port,
      leftBytes: () => artefact.length - store.have.size * artefact.pieceBytes,
      finished: swarm.completed,
      onPeers: (peers) => swarm.addPeers(peers),
    },
    new AbortController().signal,
  );
await swarm.completed;
process.stdout.write('complete\n');

function endpointOf(text: string): Endpoint {
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
}

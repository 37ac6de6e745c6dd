/**
 * One peer of the bench `swarm-wire`, in a process of its own.
 * `node swarm-peer.ts seed|fetch ARTEFACT.json INFOHASH PATH PORT [PORT...]`: listens on the first port, connects to the
 * others, says `complete` when it has everything, and goes on until it is stopped. It says `ready` first and waits for a
 * line: an agent runs already when it joins a swarm, so that the start of Node is no part of what is measured.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Artefact } from '@bootswarm/images/format';
import { FilePieces, SwarmNode } from '@bootswarm/images/swarm';

const HOST = '127.0.0.1';
const [role, artefactPath = '', infohash = '', path = '', port, ...others] = process.argv.slice(2);
const artefact = JSON.parse(readFileSync(artefactPath, 'utf8')) as Artefact;
process.stdout.write('ready\n');
await once(process.stdin, 'data');
// It does not outlive the bench.
process.stdin.on('end', () => process.exit()).resume();
const node = await SwarmNode.listen({ host: HOST, port: Number(port), isAllowed: () => true });
const store =
  role === 'seed' ? await FilePieces.whole(artefact, path) : await FilePieces.resume(artefact, path);
const swarm = node.join(artefact, infohash, store, { isEdge: role === 'seed' });
swarm.addPeers(others.map((other) => ({ host: HOST, port: Number(other) })));
await swarm.completed;
process.stdout.write('complete\n');

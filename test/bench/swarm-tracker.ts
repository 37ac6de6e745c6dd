/**
 * The tracker of the bench `swarm-fleet`: names the same peers to everyone who announces.
 * `node swarm-tracker.ts HOST:PORT PEER:PORT...`; it says `ready` when it listens.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Endpoint } from '@bootswarm/images/swarm';
import { trackerAnswer } from './swarm-clients.ts';

const [own, ...peers] = process.argv.slice(2).map((text): Endpoint => {
  const [host = '', port] = text.split(':');
  return { host, port: Number(port) };
});
const answer = trackerAnswer(peers);
const server = createServer((_, response) => response.end(answer));
server.listen(own?.port, own?.host);
await once(server, 'listening');
process.stdout.write('ready\n');
process.stdin.on('end', () => process.exit()).resume();

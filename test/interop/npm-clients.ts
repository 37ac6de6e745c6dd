/**
 * The npm packages `dhcp` and `tftp` as clients. Each runs as a program of its own, in the namespace of a host:
 *
 *     node npm-clients.ts dhcp MAC
 *     node npm-clients.ts tftp EDGE FILE
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { BOOT_FILE } from './ground.ts';

const GIVE_UP_MS = 15_000;
const program = fileURLToPath(import.meta.url);
const require = createRequire(import.meta.url);

export function npmDhcp(mac: string): readonly string[] {
  return [process.execPath, program, 'dhcp', mac];
}

export function npmTftp(edge: string, into: string): readonly string[] {
  return [process.execPath, program, 'tftp', edge, into];
}

/** The packages have no types. */
interface DhcpMessage {
  readonly yiaddr: string;
}
interface DhcpClient {
  on(event: 'listening', listener: (socket: { setBroadcast(on: boolean): void }) => void): void;
  on(event: 'message' | 'bound', listener: (message: DhcpMessage & { address: string }) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  listen(): void;
  sendDiscover(): void;
  readonly _state: { address: string };
}
interface TftpClient {
  get(remote: string, local: string, done: (error?: Error) => void): void;
}

function discover(mac: string): void {
  const { createClient } = require('dhcp') as {
    createClient(options: { mac: string }): DhcpClient;
  };
  const client = createClient({ mac });
  client.on('error', fail);
  // It asks before it has noted what was offered, so that its REQUEST would name no address (0.2.20).
  client.on('message', ({ yiaddr }) => {
    client._state.address = yiaddr;
  });
  client.on('bound', ({ address }) => {
    process.stdout.write(`bound to ${address}\n`);
    process.exit();
  });
  client.on('listening', (socket) => {
    socket.setBroadcast(true);
    client.sendDiscover();
  });
  client.listen();
}

function fetchFile(edge: string, into: string): void {
  const { createClient } = require('tftp') as {
    createClient(options: { host: string }): TftpClient;
  };
  createClient({ host: edge }).get(BOOT_FILE, into, (error) => {
    if (error) fail(error);
    else process.exit();
  });
}

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

if (import.meta.main) {
  const [what, first = '', second = ''] = process.argv.slice(2);
  setTimeout(() => fail(new Error(`nothing came of it in ${GIVE_UP_MS / 1000} s`)), GIVE_UP_MS);
  if (what === 'dhcp') discover(first);
  else fetchFile(first, second);
}

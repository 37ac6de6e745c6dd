/** The agent as a program: the first thing that runs in the mini image once its drivers are loaded. Wiring. */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { Agent } from './agent.ts';
import { Consoles } from './console.ts';
import { EdgeClient } from './edge-client.ts';
import { Host } from './host.ts';
import { parseArguments } from './kernel-arguments.ts';
import { type Connection, connect } from './network.ts';
import { edgeSource, ReleaseFetch } from './release-fetch.ts';
import { Status } from './status.ts';
import { STATUS_PORT, startStatusServer } from './status-server.ts';

/** Edges serve there unless the kernel's command line says otherwise. */
const EDGE_PORT = 8480;
/** Whose signatures count: put into the initramfs by the build. */
const TRUST_ROOT = '/etc/bootswarm/root.json';
const TRUST_FOLDER = '/run/bootswarm/trust';
const VERIFY_MS = 60_000;
const DHCP_SCRIPT = '/usr/lib/bootswarm/udhcpc-script';

const stop = new AbortController();
// Its children end with it.
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    stop.abort();
    process.exit();
  });

const host = new Host();
const consoles = new Consoles(await host.consoles());
const [uuid, kernel, startedAt] = [await host.uuid(), await host.kernel(), await host.uptimeSeconds()];
const version = process.env['BOOTSWARM_AGENT_VERSION'] ?? '0';
const uptime = (): number => startedAt + performance.now() / 1000;
const status = new Status({ uuid, version, kernel }, (line) => consoles.write(line), uptime);

const given = parseArguments(await host.commandLine());
status.say(`Bootswarm agent ${version}`);
await startStatusServer(() => status.view).catch((error: Error) =>
  status.say(`no status page on port ${STATUS_PORT}: ${error.message}`),
);
const connection = await connect({
  host,
  bootMac: given.mac,
  uuid,
  script: DHCP_SCRIPT,
  say: (line) => status.doing(line),
  signal: stop.signal,
});
const edgeUrl = given.edgeUrl ?? edgeOf(connection);
status.note({ mac: connection.link.mac, addresses: addresses(), edge: edgeUrl });
status.say(
  `${connection.link.name} has ${connection.lease.address}; status page http://${connection.lease.address}:${STATUS_PORT}/`,
);
status.say(`the edge is ${edgeUrl}`);

await new Agent({
  edge: new EdgeClient(edgeUrl, stop.signal),
  status,
  about: async () => {
    status.note({ addresses: addresses() });
    return {
      mac: connection.link.mac,
      ...(uuid === undefined ? {} : { uuid }),
      addresses: addresses(),
      version,
      kernel,
      memoryBytes: host.memoryBytes(),
      uptimeSeconds: await host.uptimeSeconds(),
    };
  },
  facts: () => host.facts(),
  verify: async (reference) => {
    const releases = await ReleaseFetch.open(TRUST_FOLDER, await trustRoot(), edgeSource(edgeUrl));
    return releases.manifestOf(reference, AbortSignal.any([stop.signal, AbortSignal.timeout(VERIFY_MS)]));
  },
  signal: stop.signal,
}).run();

async function trustRoot(): Promise<string | undefined> {
  return readFile(TRUST_ROOT, 'utf8').catch(() => undefined);
}

function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .slice(0, 64);
}

/** Whoever booted the machine without arguments of an edge: the server that DHCP names for boot files, or itself. */
function edgeOf({ lease }: Connection): string {
  return `http://${lease.nextServer ?? lease.server ?? '127.0.0.1'}:${EDGE_PORT}`;
}

/** `npm start`: a controller and an edge on this host, as one process tree with all state in one folder. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, endpoints } from '@bootswarm/controller/contract';
import { suggestSegment } from './suggest.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const EDGE = 'local';
const USAGE = `Usage: npm start -- --interface NAME [--interface NAME ...] [options]
  --interface NAME   serve DHCP, TFTP and HTTP boot on this interface (repeatable)
  --data FOLDER      where state and artefacts live (default /var/lib/bootswarm)
  --port PORT        of the controller (default 8470)
  --http-port PORT   of the edge's scripts and artefacts (default 8480)
  --swarm-port PORT  at which machines fetch images of each other and of the edge (default 8481)
  --controller-swarm-port PORT  at which other edges fetch images of the controller (default 8482)
  --edges-port PORT  at which other edges fetch images of this one (default 8483)
`;

const options = readOptions();
const children: ChildProcess[] = [];
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopAll());

const controllerUrl = `http://127.0.0.1:${options.port}`;
const operatorToken = await startController();
if (operatorToken !== undefined)
  say("The operator's token. Keep it, it is shown this once:", `  ${operatorToken}`);
await startEdge(operatorToken === undefined ? undefined : await inviteEdge(operatorToken));
if (operatorToken !== undefined) welcome();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        interface: { type: 'string', multiple: true, default: [] },
        data: { type: 'string', default: '/var/lib/bootswarm' },
        port: { type: 'string', default: '8470' },
        'http-port': { type: 'string', default: '8480' },
        'swarm-port': { type: 'string', default: '8481' },
        'controller-swarm-port': { type: 'string', default: '8482' },
        'edges-port': { type: 'string', default: '8483' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) end(USAGE, 0);
    const known = readdirSync('/sys/class/net');
    const missing = values.interface.find((name) => !known.includes(name));
    if (values.interface.length === 0)
      end(`error: --interface is missing; this host has ${known}\n\n${USAGE}`, 1);
    if (missing !== undefined)
      end(`error: there is no interface '${missing}'; name one of those of this host: ${known}\n`, 1);
    return values;
  } catch (error) {
    return end(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, 1);
  }
}

/** @returns the operator's token, which the controller tells at its first start alone, before it says that it is up. */
async function startController(): Promise<string | undefined> {
  const args = [
    ...['--data', join(options.data, 'controller'), '--port', options.port],
    ...['--swarm-port', options['controller-swarm-port']],
  ];
  const controller = run('controller/server/main.ts', {}, args);
  let token: string | undefined;
  await until(controller, '"controller is up"', (line) => {
    const told = /"operatorToken":"([^"]+)"/.exec(line)?.[1];
    token ??= told;
    // The token is for the operator's eyes and not for a log.
    return told === undefined;
  });
  return token;
}

async function inviteEdge(token: string): Promise<string> {
  const client = new Client({ url: controllerUrl, token });
  return (await client.call(endpoints.addEdge, { body: { name: EDGE } })).joinToken;
}

function startEdge(joinToken: string | undefined): Promise<void> {
  const edge = run(
    'edge-node/service/main.ts',
    joinToken === undefined ? {} : { BOOTSWARM_JOIN_TOKEN: joinToken },
    [
      ...['--controller', controllerUrl],
      ...['--data', join(options.data, 'edge')],
      ...['--http-port', options['http-port'], '--swarm-port', options['swarm-port']],
      ...['--edges-port', options['edges-port']],
      ...options.interface.flatMap((name) => ['--interface', name]),
    ],
  );
  return until(edge, '"following the controller"');
}

function run(
  file: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, [join(top, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  // One without the other is no whole: whatever ends first ends both.
  child.once('exit', (code) => stopAll(stopping ? 0 : (code ?? 1)));
  return child;
}

/** Passes on the lines of a program that `passes` lets through; resolves at the first that holds `mark`. */
function until(
  { stdout }: { readonly stdout: Readable },
  mark: string,
  passes: (line: string) => boolean = () => true,
): Promise<void> {
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      if (passes(line)) process.stdout.write(`${line}\n`);
      if (line.includes(mark)) resolve();
    });
  });
}

function stopAll(code = 0): void {
  if (!stopping) process.exitCode = code;
  stopping = true;
  for (const child of children) if (child.exitCode === null) child.kill('SIGTERM');
}

function welcome(): void {
  const segments = options.interface.map((name) => suggestSegment(name, networkInterfaces()[name], EDGE));
  say(
    'Bootswarm is up. Next, in another terminal:',
    `  npm run bootswarm -- login ${controllerUrl}`,
    ...segments.map((command) => `  npm run bootswarm -- ${command}`),
    '  npm run bootswarm -- trust init',
    '  npm run bootswarm -- image build images/recipes/minimal.yaml --out /tmp/minimal',
    '  npm run bootswarm -- image publish /tmp/minimal',
    '  npm run bootswarm -- machine boot MAC live minimal/1.0/amd64',
    `The API explains itself at ${controllerUrl}/docs (any user name, the token as password).`,
  );
}

/** For the operator, apart from the programs' lines. */
function say(...lines: readonly string[]): void {
  process.stderr.write(`\n${lines.join('\n')}\n\n`);
}

function end(text: string, code: number): never {
  (code === 0 ? process.stdout : process.stderr).write(text);
  process.exit(code);
}

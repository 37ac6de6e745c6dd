import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What a switch of machines is told, as a line of JSON. */
export interface PowerCommand {
  /** Its name, or one of MAC, UUID and serial. */
  readonly machine: string;
  readonly do: 'on' | 'off' | 'cycle' | 'status';
}

/** What it answers, as a line of JSON. */
export type PowerAnswer =
  | { readonly ok: true; readonly power: 'on' | 'off' }
  | { readonly ok: false; readonly error: string };

const DEEDS: ReadonlySet<string> = new Set(['on', 'off', 'cycle', 'status']);
const ANSWER_MS = 10_000;

/** @returns the command, or why the line is none. Pure. */
export function readCommand(line: string): PowerCommand | string {
  let told: unknown;
  try {
    told = JSON.parse(line);
  } catch {
    return 'a command is a line of JSON';
  }
  const { machine, do: deed } = (
    typeof told === 'object' && told !== null ? told : {}
  ) as Partial<PowerCommand>;
  if (typeof machine !== 'string' || machine === '') return 'machine: must be a name, MAC, UUID or serial';
  if (typeof deed !== 'string' || !DEEDS.has(deed)) return 'do: must be on, off, cycle or status';
  return { machine, do: deed };
}

/** Listens on a socket of the file system, which has no network namespace: whoever may open the file has the switch. */
export async function listenForPower(
  path: string,
  carryOut: (command: PowerCommand) => Promise<PowerAnswer>,
): Promise<Server> {
  const server = createServer((socket) => void serve(socket, carryOut));
  server.listen(path);
  await once(server, 'listening');
  return server;
}

async function serve(
  socket: Socket,
  carryOut: (command: PowerCommand) => Promise<PowerAnswer>,
): Promise<void> {
  socket.on('error', () => {});
  for await (const line of createInterface({ input: socket })) {
    const command = readCommand(line);
    const answer: PowerAnswer =
      typeof command === 'string'
        ? { ok: false, error: command }
        : await carryOut(command).catch((error: Error) => ({ ok: false, error: error.message }));
    socket.write(`${JSON.stringify(answer)}\n`);
  }
}

/** Tells the switch, and waits for its answer. @throws Error for one that is not there, is silent or says no. */
export async function switchPower(
  path: string,
  command: PowerCommand,
): Promise<Extract<PowerAnswer, { ok: true }>> {
  const socket = connect(path);
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`the switch ${path} is silent`)));
  try {
    await once(socket, 'connect');
    socket.write(`${JSON.stringify(command)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as PowerAnswer;
      if (answer.ok) return answer;
      throw new Error(`${command.do} ${command.machine}: ${answer.error}`);
    }
    throw new Error(`the switch ${path} hung up`);
  } finally {
    socket.destroy();
  }
}

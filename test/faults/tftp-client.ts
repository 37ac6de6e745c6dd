/**
 * `tftp-client.ts`: takes an order as JSON on its standard input, sends requests that no machine sends, and prints as
 * JSON lines what came back for each. A
 * program of its own, as it runs in another network namespace than its test.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from '@bootswarm/edge-node/tftp';

/** `answers`: one request after the other, each with its answer. `flood`: as fast as it goes, and nobody listens. */
export type Order =
  | {
      readonly kind: 'answers';
      readonly server: string;
      readonly opcode: 'rrq' | 'wrq';
      readonly files: readonly string[];
    }
  | {
      readonly kind: 'flood';
      readonly server: string;
      readonly file: string;
      readonly options: Readonly<Record<string, string>>;
      /** First three octets: the sources are .1 to .250 of it. */
      readonly sources: readonly string[];
      readonly requests: number;
    };

/** What came for one request: `error 1`, `data`, `oack` or `nothing`. */
export interface Answer {
  readonly file: string;
  readonly answer: string;
}

const TFTP_PORT = 69;
const WAIT_MS = 3000;
/** Sockets at once; each is closed before an answer is read. */
const BATCH = 250;

if (process.argv[1] === import.meta.filename) await run(JSON.parse(await text(process.stdin)) as Order);

async function run(order: Order): Promise<void> {
  if (order.kind === 'flood') return flood(order);
  const socket = createSocket('udp4');
  socket.bind();
  await once(socket, 'listening');
  for (const file of order.files) {
    const { opcode: kind, server } = order;
    socket.send(encode({ kind, file, mode: 'octet', options: new Map() }), TFTP_PORT, server);
    const answer: Answer = { file, answer: await answerOn(socket) };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  socket.close();
}

async function answerOn(socket: Socket): Promise<string> {
  const stop = new AbortController();
  const came = once(socket, 'message', stop).then(([bytes]) => {
    const decoded = decode(bytes as Uint8Array);
    if (!decoded.ok) return decoded.reason;
    return decoded.packet.kind === 'error' ? `error ${decoded.packet.code}` : decoded.packet.kind;
  });
  try {
    return await Promise.race([came, sleep(WAIT_MS, 'nothing', stop)]);
  } finally {
    stop.abort();
    came.catch(() => {});
  }
}

async function flood({ server, file, options, sources, requests }: Order & { kind: 'flood' }): Promise<void> {
  const packet = encode({ kind: 'rrq', file, mode: 'octet', options: new Map(Object.entries(options)) });
  let bytes = 0;
  for (let sent = 0; sent < requests; sent += BATCH) {
    const sockets = await Promise.all(
      Array.from({ length: Math.min(BATCH, requests - sent) }, async (_, n) => {
        const socket = createSocket('udp4');
        const source = sources[Math.floor((sent + n) / BATCH) % sources.length];
        socket.bind(0, `${source}.${(n % 250) + 1}`);
        await once(socket, 'listening');
        return socket;
      }),
    );
    for (const socket of sockets) socket.send(packet, TFTP_PORT, server, () => socket.close());
    bytes += packet.length * sockets.length;
    await sleep(5);
  }
  process.stdout.write(`${JSON.stringify({ bytes })}\n`);
}

/**
 * A program: sends requests as they stand, as no HTTP client would, and tells how each was answered.
 *
 *     node http-bodies.ts < '{"host":…,"port":…,"requests":[{"head":…,"repeat":…,"times":…}]}'
 *
 * Prints a line of JSON: BodyReport[], one for each request.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface BodyRequest {
  /** The first bytes, blank line included. */
  readonly head: string;
  /** Sent `times` after it, as fast as they are taken. */
  readonly repeat?: string;
  readonly times?: number;
}

export interface BodyPlan {
  readonly host: string;
  readonly port: number;
  readonly requests: readonly BodyRequest[];
}

export interface BodyReport {
  /** Of every answer on the connection, informational ones included. */
  readonly statuses: readonly number[];
  readonly bodyBytesTaken: number;
  readonly seconds: number;
  /** Whether the server closed the connection. */
  readonly closed: boolean;
}

const GIVE_UP_MS = 30_000;
/** After an answer the server has this long to close. */
const LINGER_MS = 3_000;

function send(plan: BodyPlan, { head, repeat = '', times = 0 }: BodyRequest): Promise<BodyReport> {
  const startedAt = performance.now();
  const body = Buffer.from(repeat);
  let answer = '';
  let sent = 0;
  return new Promise((resolve) => {
    const socket = connect(plan.port, plan.host);
    const done = (closed: boolean): void => {
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
      const seconds = (performance.now() - startedAt) / 1000;
      resolve({ statuses, bodyBytesTaken: sent * body.length - socket.writableLength, seconds, closed });
      socket.destroy();
    };
    const pump = (): void => {
      while (sent < times && !socket.destroyed) {
        sent += 1;
        if (!socket.write(body)) return void socket.once('drain', pump);
      }
    };
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      if (answer === '') setTimeout(done, LINGER_MS, false);
      answer += chunk;
    });
    socket.once('connect', () => {
      socket.write(head, 'latin1');
      pump();
    });
    socket.on('error', () => {});
    socket.once('close', () => done(true));
    setTimeout(done, GIVE_UP_MS, false).unref();
  });
}

if (import.meta.main) {
  const plan = JSON.parse(await text(process.stdin)) as BodyPlan;
  const reports: BodyReport[] = [];
  for (const each of plan.requests) reports.push(await send(plan, each));
  process.stdout.write(`${JSON.stringify(reports)}\n`);
  process.exit();
}

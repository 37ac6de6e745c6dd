/**
 * A program: opens slow connections from several addresses of its host, and tells what became of them.
 *
 *     node http-slow.ts '{"host":…,"port":…,"count":…,"sources":[…],"file":…,"seconds":…}'
 *
 * Prints now and then `open N`, how many were not refused so far, and at the end, after `seconds`, a line of JSON: SlowReport.
 */
import { connect, type Socket } from 'node:net';

export interface SlowPlan {
  readonly host: string;
  readonly port: number;
  readonly count: number;
  /** The connections are dealt out among these, and among the kinds. */
  readonly sources: readonly string[];
  readonly kinds: readonly SlowKind[];
  /** The path of a large file, for the slow readers. */
  readonly file: string;
  readonly seconds: number;
}

/** Says nothing; writes a byte of its headers a second; asks once and then keeps still; reads little a second. */
export type SlowKind = 'silent' | 'headers' | 'idle' | 'reader';

export interface SlowReport {
  /** By kind: connections that were open, that the server closed, and how long the last one had asked for nothing. */
  readonly kinds: Readonly<Partial<Record<SlowKind, KindReport>>>;
  /** Connections that were closed before they had been open for a second. */
  readonly refused: number;
}

interface KindReport {
  opened: number;
  closed: number;
  longestMs: number;
}

const TELL_MS = 500;

function start(plan: SlowPlan): void {
  const kinds: Partial<Record<SlowKind, KindReport>> = {};
  let refused = 0;
  for (let n = 0; n < plan.count; n++) {
    const kind = plan.kinds[n % plan.kinds.length] ?? 'silent';
    const source = plan.sources[Math.floor(n / plan.kinds.length) % plan.sources.length] ?? '';
    const report = kinds[kind] ?? { opened: 0, closed: 0, longestMs: 0 };
    kinds[kind] = report;
    const socket = connect({ host: plan.host, port: plan.port, localAddress: source });
    let openedAt = 0;
    socket.on('error', () => {});
    socket.once('connect', () => {
      openedAt = performance.now();
      report.opened += 1;
      begin(socket, kind, plan);
    });
    socket.once('close', () => {
      const ms = performance.now() - openedAt;
      report.closed += 1;
      if (openedAt === 0 || ms < 1000) refused += 1;
      else report.longestMs = Math.max(report.longestMs, ms);
    });
  }
  setInterval(() => process.stdout.write(`open ${plan.count - refused}\n`), TELL_MS);
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify({ kinds, refused } satisfies SlowReport)}\n`);
    process.exit();
  }, plan.seconds * 1000);
}

function begin(socket: Socket, kind: SlowKind, { host, file }: SlowPlan): void {
  const headers = `HTTP/1.1\r\nhost: ${host}\r\n`;
  if (kind === 'idle') socket.resume().write(`GET /healthz ${headers}\r\n`);
  if (kind === 'headers') {
    socket.resume().write(`GET /healthz ${headers}x: `);
    every(socket, () => socket.write('y'));
  }
  if (kind === 'reader') {
    socket.write(`GET ${file} ${headers}\r\n`);
    every(socket, () => socket.read(512));
  }
  if (kind === 'silent') socket.resume();
}

function every(socket: Socket, act: () => unknown): void {
  const timer = setInterval(act, 1000);
  socket.once('close', () => clearInterval(timer));
}

if (import.meta.main) start(JSON.parse(process.argv[2] ?? '') as SlowPlan);

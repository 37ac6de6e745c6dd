import type { IncomingMessage, Server, ServerResponse } from 'node:http';

export interface ConnectionCaps {
  readonly inAll: number;
  readonly perAddress: number;
}

/** How long a sender may go on after it was refused, so that it comes to read why. */
const LINGER_MS = 1_000;
const REFUSAL = 'this server takes no bodies\n';

/** Connections beyond the caps are closed at once. @param onRefused told which cap it was. */
export function capConnections(
  server: Server,
  { inAll, perAddress }: ConnectionCaps,
  onRefused: (cap: 'in all' | 'of one address') => void,
): void {
  const open = new Map<string, number>();
  server.maxConnections = inAll;
  server.on('drop', () => onRefused('in all'));
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (open.get(address) ?? 0) + 1;
    if (count > perAddress) {
      onRefused('of one address');
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

/** Whether a request announces a body. Node has refused conflicting lengths by then. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Answers 413 without keeping anything of the body, and closes the connection. */
export function refuseBody(incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(413, {
    'content-type': 'text/plain; charset=UTF-8',
    'content-length': REFUSAL.length,
    connection: 'close',
  });
  outgoing.write(REFUSAL);
  // To end the answer is to close the connection, and a sender that is cut off does not read it.
  const timer = setTimeout(() => outgoing.end(), LINGER_MS);
  incoming.resume().once('close', () => {
    clearTimeout(timer);
    outgoing.end();
  });
}

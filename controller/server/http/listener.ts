import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Api } from './adapter.ts';

/** An API that is being served. */
export interface Listener {
  /** The TCP port in use: the one asked for, or the one that was free where 0 was asked for. */
  readonly port: number;
  /**
   * Takes no more requests and lets those that run end: within `graceMs` by themselves, then with their
   * connections cut, and then within `graceMs` again.
   * @returns whether none runs any more.
   */
  close(graceMs: number): Promise<boolean>;
}

/** @throws EADDRINUSE, EADDRNOTAVAIL or EACCES of the system. */
export async function listen(api: Api, port: number, address: string): Promise<Listener> {
  const answer = getRequestListener(api.fetch, { overrideGlobalObjects: false });
  const running = new Set<Promise<void>>();
  const server = createServer((incoming, outgoing) => {
    const answered = answer(incoming, outgoing).finally(() => running.delete(answered));
    running.add(answered);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(graceMs) {
      server.close();
      await settled(running, graceMs);
      server.closeAllConnections();
      return settled(running, graceMs);
    },
  };
}

/** Whether all of `running` ended within `mostMs`. */
async function settled(running: ReadonlySet<Promise<void>>, mostMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, mostMs, false);
  });
  const all = Promise.allSettled(running).then(() => true);
  try {
    return await Promise.race([all, late]);
  } finally {
    clearTimeout(timer);
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import { type DhcpLease, parseDhcpNews, udhcpcArguments } from './dhcp-lease.ts';
import type { Host, Link } from './host.ts';
import { linkOrder } from './link-order.ts';

/** A card that just came up may wait for a spanning tree before a frame passes: 30 s and some tries. */
const BOOT_LINK_MS = 60_000;
const OTHER_LINK_MS = 20_000;

export interface NetworkOptions {
  readonly host: Host;
  /** Of the card that the machine booted by. */
  readonly bootMac: string | undefined;
  readonly uuid: string | undefined;
  /** The script that udhcpc calls. */
  readonly script: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A card with an address, which is renewed as long as the agent lives. */
export interface Connection {
  readonly link: Link;
  lease: DhcpLease;
}

/** Tries one card after the other, for ever, until DHCP answers on one. @throws where the signal ends it. */
export async function connect(options: NetworkOptions): Promise<Connection> {
  const { host, bootMac, say, signal } = options;
  for (let round = 1; ; round++) {
    const links = linkOrder(await host.links(), bootMac);
    if (links.length === 0) say('no Ethernet card: no driver in this image, or none in the machine');
    for (const link of links) {
      say(`asking DHCP on ${link.name} (${link.mac}${link.driver === undefined ? '' : `, ${link.driver}`})`);
      const connection = await tryLink(link, options);
      if (connection) return connection;
      say(`no answer on ${link.name}`);
    }
    await sleep(backoffMs(round, Math.random()), undefined, { signal });
  }
}

/** @returns undefined where no server answered in time, and udhcpc is gone again. */
async function tryLink(link: Link, options: NetworkOptions): Promise<Connection | undefined> {
  const { bootMac, script, uuid, say, signal } = options;
  signal.throwIfAborted();
  const child = spawn('udhcpc', udhcpcArguments(link.name, script, uuid), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.resume();
  const closed = once(child, 'close').catch((error: Error) => say(`udhcpc: ${error.message}`));
  const stop = (): void => void child.kill();
  process.once('exit', stop);
  signal.addEventListener('abort', stop, { once: true });
  let connection: Connection | undefined;
  const bound = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const news = parseDhcpNews(line);
    if (!news) return;
    if (!news.lease) {
      if (connection) say(`${link.name} lost its address`);
      return;
    }
    if (!connection) connection = { link, lease: news.lease };
    else if (connection.lease.address !== news.lease.address)
      say(`${link.name} has another address: ${news.lease.address}`);
    connection.lease = news.lease;
    bound.resolve();
  });
  const patience = new AbortController();
  const waited = sleep(link.mac === bootMac ? BOOT_LINK_MS : OTHER_LINK_MS, undefined, {
    signal: AbortSignal.any([patience.signal, signal]),
  }).catch(() => {});
  await Promise.race([bound.promise, closed, waited]);
  patience.abort();
  if (!connection) {
    child.kill();
    await closed;
    return undefined;
  }
  // It renews for as long as the agent lives; without it the address would run out.
  void closed.then(() => {
    if (!signal.aborted) say(`udhcpc on ${link.name} ended: the address is not renewed any more`);
  });
  return connection;
}

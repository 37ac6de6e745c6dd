/**
 * The thread that serves DHCP: it takes what is waiting in one system call, answers it as one round, and waits
 * for more. Nothing else runs here, so that no transfer of an image delays an offer (edge-node/decisions/0003).
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Problem } from '@bootswarm/images/format';
import { rogueAlarm } from '../decide/answer.ts';
import { strangersOf } from '../decide/rogue.ts';
import { compileSite, type Site, type SiteFacts } from '../decide/site.ts';
import { AlarmGate } from '../state/alarm-gate.ts';
import { HeardServers } from '../state/heard-servers.ts';
import { LeaseStore } from '../state/lease-store.ts';
import { LeaseTable } from '../state/lease-table.ts';
import { MessageRates } from '../state/message-rates.ts';
import { RecentConversations } from '../state/recent-conversations.ts';
import { SetClock } from '../state/set-clock.ts';
import { closeUdp, openUdpOn } from './bound-udp.ts';
import { ConflictWatch } from './conflict-watch.ts';
import { DatagramBatch } from './datagram-batch.ts';
import { rehearse } from './dhcp-rehearsal.ts';
import { playConflicts, playRound, type RoundNews } from './dhcp-round.ts';
import type { FromThread, ThreadStart, ToThread } from './dhcp-server.ts';
import type { Listener } from './interfaces.ts';
import { NewsBatch } from './news-batch.ts';
import { Readiness } from './readiness.ts';
import { RogueWatch } from './rogue-watch.ts';

const DHCP_SERVER_PORT = 67;
/** PXE 2.1, section 2.4.5: boot servers and proxyDHCP. */
const BOOT_SERVER_PORT = 4011;
const BATCH = 512;
/** An Ethernet frame's worth: nobody sends a longer DHCP message unfragmented. */
const DATAGRAM_BYTES = 1536;
/** How soon orders from outside are seen when no packet comes. */
const WAIT_MS = 50;
/** Without a packet for so long, there is time for what can wait. */
const QUIET_MS = 2;
/** Machines come on together: for so long the thread looks for the next packet before it sleeps (edge-node/decisions/0003). */
const LOOK_MS = 0.1;
/** An alarm is due within ten seconds of a rogue server's coming (faults.md, 9). */
const PROBE_EVERY_MS = 4000;

/** One interface and what is open on it. */
interface Door extends Listener {
  readonly httpUrl: string;
  readonly dhcpFd: number;
  readonly bootServerFd: number;
  readonly rogues: RogueWatch;
  readonly heard: HeardServers;
}

const { listeners, httpPort, leaseFolder, verbose, bootFiles, site: firstFacts } = workerData as ThreadStart;
const port = parentPort;
if (!port) throw new Error('this is the inside of a worker thread');
const post = (news: FromThread): void => port.postMessage(news);

try {
  await serve();
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  post({ kind: 'failed', problem: error.toBody(), status: error.status });
}

async function serve(): Promise<void> {
  const doors = listeners.map(openDoor);
  const conflicts = ConflictWatch.open();
  const store = LeaseStore.open(leaseFolder);
  const leases = new LeaseTable(store);
  const clock = new SetClock(Date.now(), performance.now());
  const [alarms, rates, conversations] = [new AlarmGate(), new MessageRates(), new RecentConversations()];
  const files = new Set(bootFiles);
  const hasFile = (name: string): boolean => files.has(name);
  const [incoming, outgoing] = [batch(), batch()];
  const news = new NewsBatch(toMain);
  /** Unix time. Where somebody set the clock, the leases go with it before anything is decided. */
  const now = (): number => {
    const nowMs = Date.now();
    const byMs = clock.setBy(nowMs, performance.now());
    if (byMs !== 0) news.add(shiftLeases(leases, byMs), nowMs);
    return nowMs;
  };
  rehearse();
  post({ kind: 'up', leases: [...leases.all()] });

  const answer = (fd: number, service: 'dhcp' | 'boot-server', door: Door, site: Site): void => {
    const datagrams = incoming.receive(fd);
    if (datagrams.length === 0) return;
    const nowMs = now();
    const { address: serverAddress, httpUrl } = door;
    news.add(
      playRound(
        datagrams,
        { site, rates, serverAddress, httpUrl, hasFile, service, nowMs },
        {
          leases,
          conversations,
          alarms,
          send: (replies) => outgoing.send(fd, replies),
          ping: (addresses) => conflicts.ping(addresses, nowMs),
        },
      ),
      nowMs,
    );
  };
  const readiness = new Readiness();
  for (const fd of [conflicts.fd, ...doors.flatMap(fdsOf)]) readiness.watch(fd);
  let site = compiled(firstFacts);
  let nextProbeAtMs = 0;
  let wasBusy = false;
  for (;;) {
    let stopped = false;
    for (let order = nextOrder(); order; order = nextOrder()) {
      if (order.kind === 'follow') site = compiled(order.site);
      else stopped = true;
    }
    if (stopped) break;
    let ready: readonly number[] = wasBusy ? readiness.look(LOOK_MS) : [];
    conflicts.flushIfDue(ready.length === 0, Date.now());
    if (ready.length === 0) ready = readiness.wait(news.isEmpty ? WAIT_MS : QUIET_MS);
    wasBusy = ready.length > 0;
    const readyMs = now();
    news.flushIfDue(ready.length === 0, readyMs);
    // Before the requests of this moment: an address that is taken must not be given now.
    if (ready.includes(conflicts.fd))
      news.add(playConflicts(conflicts.answered(), site, leases, readyMs), readyMs);
    for (const door of doors) {
      if (ready.includes(door.dhcpFd)) answer(door.dhcpFd, 'dhcp', door, site);
      if (ready.includes(door.bootServerFd)) answer(door.bootServerFd, 'boot-server', door, site);
      if (ready.includes(door.rogues.fd)) hearRogues(door, site, alarms, news);
    }
    const nowMs = now();
    if (nowMs < nextProbeAtMs && nextProbeAtMs - nowMs <= PROBE_EVERY_MS) continue;
    nextProbeAtMs = nowMs + PROBE_EVERY_MS;
    for (const { address, dhcpFd, rogues } of doors)
      if (site.segmentOf(address)) outgoing.send(dhcpFd, [rogues.probe()]);
  }
  news.flush();
  readiness.close();
  conflicts.close();
  for (const fd of doors.flatMap(fdsOf)) closeUdp(fd);
  await store.close();
}

/** What the disk does not take stands in memory, and on disk as each lease is renewed. */
function shiftLeases(leases: LeaseTable, byMs: number): RoundNews {
  const shifted = leases.shift(byMs);
  const news = { counts: ['dhcp clock set'], journal: [], leases: shifted, commitMs: 0, clockSetMs: byMs };
  try {
    leases.rewrite(shifted);
    return news;
  } catch (error) {
    return { ...news, failure: (error as Error).message };
  }
}

/** @throws Problem not_root, port_in_use */
function openDoor(listener: Listener): Door {
  const { interfaceName, address } = listener;
  return {
    ...listener,
    httpUrl: `http://${address}:${httpPort}`,
    dhcpFd: openUdpOn(interfaceName, DHCP_SERVER_PORT),
    bootServerFd: openUdpOn(interfaceName, BOOT_SERVER_PORT),
    rogues: RogueWatch.open(interfaceName, address),
    heard: new HeardServers(),
  };
}

function fdsOf({ dhcpFd, bootServerFd, rogues }: Door): readonly number[] {
  return [dhcpFd, bootServerFd, rogues.fd];
}

function hearRogues({ address, rogues, heard }: Door, site: Site, alarms: AlarmGate, news: NewsBatch): void {
  const nowMs = Date.now();
  const servers = heard.note(rogues.heard(), nowMs);
  // The segment whose machines are on the interface itself.
  const served = site.segmentOf(address);
  if (!served) return;
  const journal = strangersOf(served.segment, site.fellows, servers)
    .map((server) => rogueAlarm(server, served, nowMs))
    .filter((alarm) => alarms.opens(alarm, nowMs));
  if (journal.length > 0)
    news.add({ counts: journal.map(() => 'dhcp rogue server'), journal, leases: [], commitMs: 0 }, nowMs);
}

/** This edge is no stranger to itself, on whichever interface it is heard. */
function compiled({ segments, policy, fellows = [] }: SiteFacts): Site {
  return compileSite({ segments, policy, fellows: [...fellows, ...listeners.map(({ address }) => address)] });
}

function batch(): DatagramBatch {
  return new DatagramBatch(BATCH, DATAGRAM_BYTES);
}

function toMain(news: RoundNews): void {
  // Copying what nobody reads would take the thread's time.
  post({ kind: 'round', ...news, told: verbose ? (news.told ?? []) : [] });
}

function nextOrder(): ToThread | undefined {
  return port ? (receiveMessageOnPort(port)?.message as ToThread | undefined) : undefined;
}

/** Looks at what an edge needs of its host and its network; used by the `bootswarm` command. */
import { join } from 'node:path';
import { Problem } from '@bootswarm/images/format';
import { compileSite } from '../decide/site.ts';
import { listenerOn } from '../sockets/interfaces.ts';
import { EdgeStore } from '../state/edge-store.ts';
import type { Finding } from './finding.ts';
import {
  ETHERNET_MTU,
  judgeClock,
  judgeFirmware,
  judgeInterface,
  judgeMtu,
  judgePathMtu,
  judgePort,
  judgeRelay,
  judgeServers,
  judgeStp,
  type ServedHere,
} from './judge.ts';
import { bridgeFacts, clockAgainst, firmwareFacts, interfaceFacts, portFacts } from './probe-host.ts';
import { answering, serversOn, sourceTowards } from './probe-network.ts';

export type { Finding } from './finding.ts';

export interface Patient {
  /** On which the edge serves or is to serve. */
  readonly interfaces: readonly string[];
  /** Addresses of relays (giaddr). */
  readonly relays: readonly string[];
  readonly controllerUrl?: string | undefined;
  /** Where the edge keeps its state: what its segments say of other servers. */
  readonly dataFolder: string;
  readonly httpPort: number;
  readonly swarmPort: number;
  /** How long other DHCP servers are listened for; 3 s unless told. */
  readonly listenSeconds?: number;
}

/** A ping that any link carries. */
const SMALL_PING_BYTES = 64;

/** Everything, as it is found; seconds in all. @throws Problem not_root */
export async function* examine(patient: Patient): AsyncGenerator<Finding> {
  const { interfaces, relays, controllerUrl, dataFolder, listenSeconds = 3 } = patient;
  const addresses: string[] = [];
  const servedAt = await servedBy(dataFolder);
  for (const name of interfaces) {
    const address = addressOn(name);
    if (typeof address !== 'string') {
      yield address;
      continue;
    }
    addresses.push(address);
    const facts = interfaceFacts(name, address);
    yield judgeInterface(facts);
    yield judgeMtu(facts);
    yield judgeStp(name, bridgeFacts(name));
    const servers = await serversOn(name, address, listenSeconds * 1000);
    yield judgeServers({
      interfaceName: name,
      served: servedAt(address),
      heard: servers.filter((server) => !addresses.includes(server)),
      listenSeconds,
    });
  }
  yield* examineRelays(relays);
  if (controllerUrl !== undefined) yield judgeClock(controllerUrl, await clockAgainst(controllerUrl));
  else
    yield {
      check: 'clock',
      about: 'controller',
      result: 'skipped',
      seen: 'no controller was named',
      remedy: 'Name it: --controller URL',
    };
  for (const facts of portFacts(addresses, patient)) yield judgePort(facts);
  for (const facts of firmwareFacts()) yield judgeFirmware(facts);
}

async function* examineRelays(relays: readonly string[]): AsyncGenerator<Finding> {
  if (relays.length === 0)
    yield {
      check: 'relay',
      about: 'relays',
      result: 'skipped',
      seen: 'no relay was named',
      remedy: 'Name the address (giaddr) of each: --relay ADDRESS',
    };
  const sources = new Map<string, string | undefined>();
  for (const relay of relays) sources.set(relay, await sourceTowards(relay));
  const routed = relays.filter((relay) => sources.get(relay) !== undefined);
  const near = await answering(routed, SMALL_PING_BYTES);
  const full = await answering([...near], ETHERNET_MTU);
  for (const address of relays) {
    const facts = {
      address,
      source: sources.get(address),
      answersPing: near.has(address),
      answersFullPing: full.has(address),
    };
    yield judgeRelay(facts);
    yield judgePathMtu(facts);
  }
}

/** What the edge last knew of whoever has an address; it may be at work meanwhile. */
async function servedBy(dataFolder: string): Promise<(address: string) => ServedHere | undefined> {
  // Without it there is much to be looked at yet.
  const state = await EdgeStore.readDesiredState(join(dataFolder, 'state')).catch(() => undefined);
  if (!state) return () => undefined;
  const site = compileSite(state);
  return (address) => ({ fellows: site.fellows, segment: site.segmentOf(address)?.segment });
}

/** The address of an interface, or what is wrong with it. */
function addressOn(name: string): string | Finding {
  try {
    return listenerOn(name).address;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { check: 'interface', about: name, result: 'failed', seen: error.message, remedy: error.remedy };
  }
}

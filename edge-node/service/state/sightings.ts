import type { Seen } from '../decide/seen.ts';

/** Of machines, and of addresses; the one that was not seen for the longest time is forgotten. */
const MOST = 100_000;

/** What DHCP and scripts told of machines and leases do not: in memory, as a boot begins with DHCP. */
export class Sightings {
  readonly #byMachine = new Map<string, Seen>();
  readonly #byAddress = new Map<string, Seen>();

  note(seen: Seen): void {
    const { segment, mac, classes, address } = seen;
    if (classes) keep(this.#byMachine, `${segment} ${mac}`, seen);
    if (address !== undefined) keep(this.#byAddress, address, seen);
  }

  /** Names of the classes that held when a machine last spoke DHCP in a segment. */
  classesOf(segment: string, mac: string): readonly string[] {
    return this.#byMachine.get(`${segment} ${mac}`)?.classes ?? [];
  }

  /** Who has an address that another server gave. */
  at(address: string): Seen | undefined {
    return this.#byAddress.get(address);
  }
}

function keep(map: Map<string, Seen>, key: string, seen: Seen): void {
  map.delete(key);
  map.set(key, seen);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
}

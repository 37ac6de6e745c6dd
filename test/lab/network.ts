import { mustRun } from './command.ts';
import { disguiseRules } from './disguise.ts';
import { layNamespace, Namespace } from './namespace.ts';
import { requireFor } from './requirements.ts';
import type { LabScope } from './scope.ts';
import type { Subnet } from './subnet.ts';

export interface HostOptions {
  /** Given in turn unless said. */
  readonly mac?: string;
  /** Without one the host has a link and no address, as before DHCP. */
  readonly address?: string;
}

/** A namespace with one interface, `eth0`, in a network's bridge. */
export class Host extends Namespace {
  readonly mac: string;
  readonly interface = 'eth0';

  constructor(scope: LabScope, label: string, mac: string) {
    super(scope, label);
    this.mac = mac;
  }
}

export interface Loss {
  /** Of the frames that match, 0.1 to 100. */
  readonly lossPercent: number;
  /** An nftables match such as `udp dport 69`, for losing only those. */
  readonly match?: string;
}

/** Frames are lost until it is removed; removing it twice is no error. */
export interface Impairment extends AsyncDisposable {
  remove(): Promise<void>;
}

/** A namespace whose bridge, `br0`, is a layer 2 network of its own, as a VLAN is. */
export abstract class Network extends Namespace {
  /** 0 for the core, the segment's number otherwise. */
  readonly number: number;
  readonly subnet: Subnet;
  /** The machines' way out of the subnet. */
  readonly gateway: string;
  readonly bridge = 'br0';
  #stations = 0;
  #impairments = 0;

  constructor(scope: LabScope, label: string, number: number, subnet: Subnet, gateway: string) {
    super(scope, label);
    this.number = number;
    this.subnet = subnet;
    this.gateway = gateway;
  }

  /** Adds a host to the bridge, with a default route when it has an address. */
  async addHost(name: string, options: HostOptions = {}): Promise<Host> {
    const { mac = this.nextMac(), address } = options;
    const host = await layNamespace(new Host(this.scope, `${this.label}-${name}`, mac));
    await this.attach(host, host.interface, `to-${name}`);
    await host.ip(`link set ${host.interface} address ${mac}`, `link set ${host.interface} up`);
    if (address !== undefined) {
      await host.ip(
        `address add ${address}/${this.subnet.prefixLength} dev ${host.interface}`,
        `route add default via ${this.gateway}`,
      );
    }
    return host;
  }

  /** Lays a cable from `other`, where its end is called `otherEnd`, to a port of this bridge. */
  async attach(other: Namespace, otherEnd: string, port: string): Promise<void> {
    await this.ip(
      `link add ${port} type veth peer name ${otherEnd} netns ${other.name}`,
      `link set ${port} master ${this.bridge} up`,
    );
  }

  /**
   * From now on frames that enter the bridge are lost at random. DHCP clients and relays read raw sockets,
   * which see a packet before its own host's filters do: so the loss is in the bridge, not at the hosts.
   * Throws a RangeError for a loss of nothing.
   */
  async impair({ lossPercent, match = '' }: Loss): Promise<Impairment> {
    requireFor('impair');
    if (!(lossPercent >= 0.1 && lossPercent <= 100)) throw new RangeError(`a loss of ${lossPercent} percent`);
    const passedPerMille = Math.round(1000 - lossPercent * 10);
    const drop = `${match} numgen random mod 1000 >= ${passedPerMille} drop`;
    const chain = (hook: string) => `chain ${hook} { type filter hook ${hook} priority 0; ${drop}; }`;
    this.#impairments += 1;
    const table = `bridge loss${this.#impairments}`;
    await this.#nft(`table ${table} { ${chain('prerouting')}; ${chain('output')}; }`);
    // Declaring the table first makes deleting it twice harmless.
    const remove = () => this.#nft(`table ${table}; delete table ${table}`);
    return { remove, [Symbol.asyncDispose]: remove };
  }

  /** From now on iPXE option ROMs of this network's machines look like those of another maker. */
  async disguiseRoms(): Promise<void> {
    requireFor('impair');
    await this.#nft(disguiseRules('disguise'));
  }

  protected nextMac(): string {
    this.#stations += 1;
    const tail = [this.number >> 8, this.number, this.#stations].map((octet) =>
      (octet & 255).toString(16).padStart(2, '0'),
    );
    return `52:54:00:${tail.join(':')}`;
  }

  async #nft(rules: string): Promise<void> {
    await mustRun(['ip', 'netns', 'exec', this.name, 'nft', rules]);
  }
}

/** Makes the network's namespace and bridge. */
export async function layNetwork<T extends Network>(described: T): Promise<T> {
  await layNamespace(described);
  await described.ip(
    // Without forward delay a port passes frames at once; DHCP's first packets would be lost otherwise.
    `link add ${described.bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${described.bridge} up`,
  );
  return described;
}

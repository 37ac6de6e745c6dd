import { setTimeout as sleep } from 'node:timers/promises';
import type { Core } from './core.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { layNamespace, Namespace } from './namespace.ts';
import { layNetwork, Network } from './network.ts';
import type { Process } from './process.ts';
import { type RelayKind, relayCommand } from './relay.ts';
import { requireFor } from './requirements.ts';
import type { LabScope } from './scope.ts';
import { parseSubnet, type Subnet } from './subnet.ts';

export interface SegmentOptions {
  /** 1 to 254; the next free one unless said. */
  readonly number?: number;
  /** `10.66.NUMBER.0/24` unless said. */
  readonly subnet?: string;
  /**
   * The relay agent on the router between segment and core: ISC's, or dnsmasq's. `none`: no router, the core has
   * an interface in the segment itself.
   */
  readonly relay: RelayKind;
  /** More flags of the relay, such as `['-a', '-m', 'append']`, with which dhcrelay adds option 82. */
  readonly relayFlags?: readonly string[];
  /** Where the relay sends to; the core's address unless said. */
  readonly servers?: readonly string[];
}

/** One VLAN: a bridge in a namespace of its own, with a router to the core or the core itself attached. */
export class Segment extends Network {
  /** Where machines in here reach the edge. */
  readonly edgeAddress: string;
  /** The core's interface in a segment without a relay. */
  readonly coreInterface: string | undefined;
  readonly router: Namespace | undefined;
  /** Empty in a segment without a relay. */
  readonly servers: readonly string[];
  readonly #relayKind: RelayKind;
  #relay: Process | undefined;
  #taps = 0;

  constructor(scope: LabScope, core: Core, number: number, options: SegmentOptions) {
    const subnet: Subnet = parseSubnet(options.subnet ?? `10.66.${number}.0/24`);
    const label = `segment${number}`;
    super(scope, label, number, subnet, subnet.address(1));
    const relayed = options.relay !== 'none';
    this.#relayKind = options.relay;
    this.edgeAddress = relayed ? core.address : this.gateway;
    this.coreInterface = relayed ? undefined : label;
    this.router = relayed ? new Namespace(scope, `router${number}`) : undefined;
    this.servers = relayed ? (options.servers ?? [core.address]) : [];
  }

  /** The running relay agent; undefined in a segment without one. */
  get relay(): Process | undefined {
    return this.#relay;
  }

  /** Ends the relay agent, if any, and starts it with other flags. Resolves once it listens. */
  async restartRelay(flags: readonly string[] = []): Promise<Process> {
    const [router, kind] = [this.router, this.#relayKind];
    if (router === undefined || kind === 'none') throw new Error(`${this.label} has no router for a relay`);
    requireFor(kind);
    await this.#relay?.stop();
    const { argv, listens } = relayCommand(kind, this.gateway, this.servers, flags);
    this.#relay = await router.start(argv, { name: kind });
    await this.#relay.waitForLine(listens, 5000);
    return this.#relay;
  }

  /** Powers a machine on in this segment. */
  async startMachine(options: MachineOptions): Promise<Machine> {
    requireFor('machines');
    this.#taps += 1;
    return Machine.powerOn(this, this.scope.folder, `tap${this.#taps}`, { mac: this.nextMac(), ...options });
  }
}

/** Lays a segment beside the core. */
export async function laySegment(
  segment: Segment,
  core: Core,
  relayFlags: readonly string[],
): Promise<Segment> {
  const { router, subnet, gateway } = segment;
  await layNetwork(segment);
  const gatewayAddress = `${gateway}/${subnet.prefixLength}`;
  if (router === undefined) {
    await segment.attach(core, segment.label, 'to-core');
    await core.ip(`address add ${gatewayAddress} dev ${segment.label}`, `link set ${segment.label} up`);
    await untilRunning(core, segment.label);
    return segment;
  }

  await layNamespace(router);
  await segment.attach(router, 'segment', 'to-router');
  await core.attach(router, 'core', router.label);
  const routerAddress = core.nextRouterAddress();
  await router.ip(
    `address add ${gatewayAddress} dev segment`,
    `address add ${routerAddress}/${core.subnet.prefixLength} dev core`,
    'link set segment up',
    'link set core up',
    // Other segments, and those attached to the core directly, are reached through the core.
    `route add default via ${core.address}`,
  );
  await core.ip(`route add ${subnet.cidr} via ${routerAddress}`);
  for (const link of ['segment', 'core']) await untilRunning(router, link);
  await segment.restartRelay(relayFlags);
  return segment;
}

/** The kernel tells of carriers once a second at most, and until then a bridge drops what comes by the port. */
async function untilRunning(namespace: Namespace, link: string): Promise<void> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await sleep(20)) {
    const { stdout } = await namespace.run(['ip', '-brief', 'link', 'show', 'dev', link]);
    if (/^\S+\s+UP\s/.test(stdout)) return;
  }
  throw new Error(`${link} of ${namespace.label} has no carrier after 5 s`);
}

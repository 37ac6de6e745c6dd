import { layNetwork, Network } from './network.ts';
import type { LabScope } from './scope.ts';
import { parseSubnet } from './subnet.ts';

const FIRST_ROUTER = 32;

/** The network in which controller and edge run; the namespace itself has an address in it. */
export class Core extends Network {
  /** The edge's. */
  readonly address: string;
  #routers = 0;

  constructor(scope: LabScope) {
    const subnet = parseSubnet('10.66.0.0/24');
    // Hosts of the core go through the core itself, which knows the way to every segment.
    super(scope, 'core', 0, subnet, subnet.address(2));
    this.address = this.gateway;
  }

  nextRouterAddress(): string {
    this.#routers += 1;
    return this.subnet.address(FIRST_ROUTER + this.#routers - 1);
  }
}

export async function layCore(scope: LabScope): Promise<Core> {
  const core = await layNetwork(new Core(scope));
  await core.ip(`address add ${core.address}/${core.subnet.prefixLength} dev ${core.bridge}`);
  return core;
}

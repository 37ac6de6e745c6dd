import { Site } from '../boot/index.ts';
import { Lab, type Process, type Segment } from '../lab/index.ts';

export const WAIT_MS = 60_000;
/** Renewed at half of it. */
export const LEASE_SECONDS = 60;

/** A live edge with a segment behind a relay and one of its own, for clients. */
export interface ClientSite {
  readonly lab: Lab;
  readonly site: Site;
  readonly edge: Process;
  readonly relayed: Segment;
  readonly direct: Segment;
}

/** @param name shows in the names of the lab's namespaces. */
export async function layClientSite(name: string): Promise<ClientSite> {
  // What the edge decided is read in its log.
  process.env['BOOTSWARM_LOG_LEVEL'] = 'debug';
  const lab = await Lab.create(name);
  const relayed = await lab.addSegment({ relay: 'dhcrelay' });
  const direct = await lab.addSegment({ relay: 'none' });
  const site = await Site.start(lab);
  const edge = await site.addEdge('edge1', lab.core.bridge, direct.coreInterface ?? '');
  for (const { number, subnet, gateway } of [relayed, direct])
    await site.bootswarm(
      ...['segment', 'add', `seg${number}`, '--subnet', subnet.cidr, '--router', gateway],
      ...['--pool', `${subnet.address(100)}-${subnet.address(199)}`, '--edge', 'edge1'],
      ...['--lease-seconds', String(LEASE_SECONDS), '--domain', 'lab.example', '--dns', '10.66.0.53'],
    );
  await edge.waitForLine(/"segments":2,.*following a new desired state/, WAIT_MS);
  return { lab, site, edge, relayed, direct };
}

import { type NetworkedMachine, networkVersion2 } from './card-network.ts';
import type { FirstBoot } from './image-profile.ts';
import type { InstallMachine } from './install-order.ts';

/** The files of a seed of cloud-init's NoCloud source, by the names under which it asks for them. */
export const NOCLOUD_FILES = ['meta-data', 'user-data', 'vendor-data', 'network-config'] as const;
export type NoCloudFile = (typeof NOCLOUD_FILES)[number];

/** For which system. */
export interface SeededSystem {
  readonly machine: Pick<InstallMachine, 'id' | 'hostname'> & NetworkedMachine;
  /** Of the intent by which it was set up: cloud-init does once for each what it does once for an instance. */
  readonly epoch: number;
  readonly firstBoot: Pick<FirstBoot, 'userData' | 'network'>;
}

/** Nothing to do; cloud-init wants the file all the same. */
const NO_USER_DATA = '#cloud-config\n{}\n';

/**
 * The seed of a machine: the same on the disk that an agent installs and at the edge that is asked for it, so that
 * whoever finds both is one instance and not two. Pure.
 */
export function noCloudSeed({
  machine,
  epoch,
  firstBoot,
}: SeededSystem): Readonly<Record<NoCloudFile, string>> {
  const { id, hostname, domain } = machine;
  const metaData = {
    'instance-id': `bootswarm-${id}-${epoch}`,
    'local-hostname': domain === undefined ? hostname : `${hostname}.${domain}`,
  };
  return {
    // JSON is YAML.
    'meta-data': `${JSON.stringify(metaData)}\n`,
    'user-data': firstBoot.userData ?? NO_USER_DATA,
    'vendor-data': NO_USER_DATA,
    'network-config': `${JSON.stringify(networkVersion2(machine, firstBoot.network))}\n`,
  };
}

import type { InstallMachine } from '@bootswarm/controller/contract';
import { type Change, file, programIn, type SystemView } from './view.ts';

const SEED = '/var/lib/cloud/seed/nocloud';

export function hasCloudInit(view: SystemView): boolean {
  return programIn(view, 'cloud-init') !== undefined;
}

/**
 * The seed of cloud-init's NoCloud source, and that it looks nowhere else: it would ask metadata services of clouds for
 * minutes. The network is set up already.
 * @param instance identity of the installation: cloud-init runs once for each.
 */
export function cloudInitChanges(
  view: SystemView,
  { hostname, domain }: Pick<InstallMachine, 'hostname' | 'domain'>,
  instance: string,
  userData: string | undefined,
): readonly Change[] {
  if (!hasCloudInit(view)) return [];
  const metaData = {
    'instance-id': instance,
    'local-hostname': domain === undefined ? hostname : `${hostname}.${domain}`,
  };
  const settings = { datasource_list: ['NoCloud', 'None'], network: { config: 'disabled' } };
  return [
    { kind: 'remove', path: '/var/lib/cloud/instance' },
    { kind: 'remove', path: '/var/lib/cloud/instances' },
    { kind: 'remove', path: '/etc/cloud/cloud-init.disabled' },
    // JSON is YAML.
    file(`${SEED}/meta-data`, `${JSON.stringify(metaData)}\n`, 0o600),
    file(`${SEED}/user-data`, userData ?? '#cloud-config\n{}\n', 0o600),
    file('/etc/cloud/cloud.cfg.d/99-bootswarm.cfg', `${JSON.stringify(settings)}\n`),
  ];
}

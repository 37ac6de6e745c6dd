import { noCloudSeed, type SeededSystem } from '@bootswarm/controller/contract';
import { type Change, file, programIn, type SystemView } from './view.ts';

const SEED = '/var/lib/cloud/seed/nocloud';

export function hasCloudInit(view: SystemView): boolean {
  return programIn(view, 'cloud-init') !== undefined;
}

/**
 * The seed of cloud-init's NoCloud source, and that it looks nowhere else: it would ask metadata services of clouds for
 * minutes. The network is set up already.
 */
export function cloudInitChanges(view: SystemView, system: SeededSystem): readonly Change[] {
  if (!hasCloudInit(view)) return [];
  const settings = { datasource_list: ['NoCloud', 'None'], network: { config: 'disabled' } };
  return [
    { kind: 'remove', path: '/var/lib/cloud/instance' },
    { kind: 'remove', path: '/var/lib/cloud/instances' },
    { kind: 'remove', path: '/etc/cloud/cloud-init.disabled' },
    ...Object.entries(noCloudSeed(system)).map(([name, text]) => file(`${SEED}/${name}`, text, 0o600)),
    file('/etc/cloud/cloud.cfg.d/99-bootswarm.cfg', `${JSON.stringify(settings)}\n`),
  ];
}

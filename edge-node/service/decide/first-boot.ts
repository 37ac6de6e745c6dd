import {
  type DesiredState,
  type ImageProfile,
  mergedArguments,
  renderFirstBoot,
  type Segment,
} from '@bootswarm/controller/contract';
import { hostnameOf, machineVariables } from './answer-files.ts';

/** Whose system, and where it is set up. */
export interface FirstBootContext {
  readonly profile: ImageProfile;
  readonly machine: DesiredState['machines'][number];
  readonly mac: string;
  readonly address: string;
  readonly segment: Segment;
  /** That is installed: never a channel. */
  readonly release: string;
  /** Of this edge, as the machine reaches it. */
  readonly httpUrl: string;
}

type FilledProfile =
  | { readonly ok: true; readonly profile: ImageProfile; readonly hostname: string }
  | { readonly ok: false; readonly reason: string };

/**
 * The profile as it is for one machine: every hole filled, and the kernel arguments of its assignment among its own. No
 * agent has to know of holes. Pure.
 */
export function profileFor(context: FirstBootContext): FilledProfile {
  const { profile, machine, release } = context;
  const [name = '', version = '', architecture] = release.split('/');
  const builtIn = machineVariables(context, {
    name,
    version,
    architecture: architecture === 'arm64' ? 'arm64' : 'amd64',
  });
  const filled = renderFirstBoot(profile, machine.variables ?? {}, builtIn);
  if (!filled.ok)
    return { ok: false, reason: `firstBoot.${filled.text} of profile ${profile.name}: ${filled.reason}` };
  const { hostname, userData } = filled.texts;
  const { variables: _, ...rest } = profile;
  const { hostname: __, userData: ___, ...firstBoot } = profile.firstBoot;
  return {
    ok: true,
    // A reservation may be written in capitals; host names are the same in small letters (RFC 1123).
    hostname: hostname ?? hostnameOf(context).toLowerCase(),
    profile: {
      ...rest,
      kernelArguments: [...mergedArguments(profile.kernelArguments, machine.kernelArguments ?? [])],
      firstBoot: userData === undefined ? firstBoot : { ...firstBoot, userData },
    },
  };
}

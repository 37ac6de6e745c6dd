import { findArtefact, type Manifest } from '@bootswarm/images/format';
import { z } from 'zod';
import { firstBootProblem } from './first-boot-texts.ts';
import { ImageProfile } from './image-profile.ts';
import {
  INSTALLER_STYLES,
  InstallerProfile,
  type MachineVariables,
  profileProblem,
} from './installer-profile.ts';

/** How a machine is installed: an image by the agent, or a distribution by its own installer. */
export const Profile = z.discriminatedUnion('kind', [ImageProfile, InstallerProfile]);
export type Profile = z.infer<typeof Profile>;

/** Why a profile cannot install that release; undefined where it can. */
export function profileReleaseProblem(profile: Profile, manifest: Manifest): string | undefined {
  const { kind } = profile;
  const { bootStyle, rootFormat } = manifest;
  if (kind !== 'image')
    return INSTALLER_STYLES[kind].includes(bootStyle)
      ? undefined
      : `its boot style is ${bootStyle}, and ${kind} needs ${INSTALLER_STYLES[kind].join(' or ')}`;
  if (bootStyle === 'installer' || bootStyle === 'mini')
    return `its boot style is ${bootStyle}: it holds no system`;
  if (findArtefact(manifest, 'disk')) return undefined;
  if (!findArtefact(manifest, 'root')) return 'it has neither a root file system nor a disk image';
  return rootFormat === 'iso' ? 'its root is a whole ISO, which only its own initramfs can read' : undefined;
}

/** Which intent installs by a profile. */
function intentKindOf({ kind }: Pick<Profile, 'kind'>): 'install' | 'installer' {
  return kind === 'image' ? 'install' : 'installer';
}

/**
 * Why a profile cannot install a machine with that intent, as far as that can be told before it boots; undefined where
 * it can.
 */
export function profileFitProblem(
  profile: Profile,
  intentKind: 'install' | 'installer',
  own: MachineVariables,
): string | undefined {
  const fitting = intentKindOf(profile);
  if (fitting !== intentKind)
    return `it is of kind ${profile.kind}: the intent for it is '${fitting} ${profile.name}'`;
  return profile.kind === 'image' ? firstBootProblem(profile, own) : profileProblem(profile, own);
}

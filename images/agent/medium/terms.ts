import { ImageProfile } from '@bootswarm/controller/contract';
import { InstallMedium, releaseId } from '@bootswarm/images/format';
import { z } from 'zod';
import type { InstallTerms } from '../install/terms.ts';
import { problem } from './problems.ts';

const HOST_NAME_MOST = 63;

/** What firmware and cards say of the machine. */
export interface MachineFacts {
  readonly uuid: string | undefined;
  readonly serial: string | undefined;
  /** Of its Ethernet cards, in their order. */
  readonly macs: readonly string[];
}

/** @param text of `medium.json`. @throws Problem medium_unreadable */
export function parseMedium(text: string): InstallMedium & { readonly profile: ImageProfile } {
  const refuse = (reason: string, cause?: unknown) =>
    problem('medium_unreadable', { facts: { reason }, cause });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
  const medium = InstallMedium.safeParse(content);
  if (!medium.success) throw refuse(z.prettifyError(medium.error), medium.error);
  const profile = ImageProfile.safeParse(medium.data.profile);
  if (!profile.success) throw refuse(z.prettifyError(profile.error), profile.error);
  return { ...medium.data, profile: profile.data };
}

/**
 * What a medium orders of this machine. Identities of disks follow from the medium and the machine, so that it knows its
 * own installation again. Pure.
 */
export function mediumTerms(
  id: string,
  { manifest, profile }: ReturnType<typeof parseMedium>,
  facts: MachineFacts,
): InstallTerms {
  return {
    epoch: 1,
    release: releaseId(manifest),
    profile,
    machine: {
      id: `medium-${id}-${facts.uuid ?? facts.macs[0] ?? 'machine'}`,
      hostname: hostName(manifest.name, facts),
      dnsServers: [],
    },
  };
}

/** `minimal-s64enx0r`, of the image and the machine's serial number, or what its first card has of its own. */
export function hostName(image: string, { serial, macs }: Pick<MachineFacts, 'serial' | 'macs'>): string {
  const own = serial ?? macs[0]?.replaceAll(':', '').slice(-6) ?? '';
  const name = `${image}-${own}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return name.slice(0, HOST_NAME_MOST).replace(/^-+|-+$/g, '') || 'machine';
}

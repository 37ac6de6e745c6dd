import { isDeepStrictEqual } from 'node:util';
import {
  INSTALLER_STYLES,
  InstallerProfile,
  Machine,
  problem,
  profileProblem,
} from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import type { Naming } from '../catalogue/release-uses.ts';
import { MACHINES_PREFIX } from '../machines/keys.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';

const PREFIX = 'profiles/';
/** Written by what makes a machine name a profile, and read by what removes one. */
const GUARD = 'guards/profiles';

export interface ProfilesParts {
  readonly store: StateStore;
  /** For a transaction that names a release or channel: what to put beside. @throws Problem where there is none. */
  readonly hold: (reference: string, reads: Reads) => Promise<Readonly<Record<string, unknown>>>;
  /** The release that a reference leads to now. */
  readonly manifestOf: (reference: string) => Promise<Manifest | undefined>;
}

/** How machines are installed by distributions' own installers. */
export class Profiles {
  readonly #parts: ProfilesParts;

  constructor(parts: ProfilesParts) {
    this.#parts = parts;
  }

  async list(): Promise<InstallerProfile[]> {
    const entries = await this.#parts.store.list(PREFIX);
    return entries.map(({ value }) => InstallerProfile.parse(value));
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<InstallerProfile> {
    const entry = await this.#parts.store.get(PREFIX + name);
    if (!entry) throw unknownProfile(name);
    return InstallerProfile.parse(entry.value);
  }

  /**
   * Machines that are to be installed by it already get it as it is now.
   * @throws Problem input_invalid, profile_release_unfit, machine_release_unknown, channel_unknown
   */
  async replace(name: string, profile: InstallerProfile): Promise<InstallerProfile> {
    if (profile.name !== name)
      throw problem('input_invalid', { field: 'name', facts: { reason: `must be ${name}, as in the path` } });
    const { store, hold, manifestOf } = this.#parts;
    const { release, kind } = profile;
    return transact(store, `profile ${name}`, async (reads) => {
      const beside = await hold(release, reads);
      const style = (await manifestOf(release))?.bootStyle;
      if (style !== undefined && !INSTALLER_STYLES[kind].includes(style))
        throw problem('profile_release_unfit', { field: 'release', facts: { release, style, kind } });
      const held = await reads.get(PREFIX + name);
      if (held && isDeepStrictEqual(held.value, profile)) return { result: profile };
      return { put: { [PREFIX + name]: profile, ...beside }, result: profile };
    });
  }

  /** @throws Problem not_found, profile_in_use */
  remove(name: string): Promise<void> {
    const { store } = this.#parts;
    return transact(store, `profile ${name}`, async (reads) => {
      if (!(await reads.get(PREFIX + name))) throw unknownProfile(name);
      await reads.get(GUARD);
      for (const { value } of await store.list(MACHINES_PREFIX)) {
        const { id, intent } = Machine.parse(value);
        if (intent?.kind === 'installer' && intent.profile === name)
          throw problem('profile_in_use', { facts: { profile: name, machine: id } });
      }
      return { put: { [GUARD]: name }, remove: [PREFIX + name], result: undefined };
    });
  }

  /** For a transaction that keeps an intent. @returns what to put beside it. @throws Problem profile_unknown */
  async hold(name: string, reads: Reads): Promise<Readonly<Record<string, unknown>>> {
    if (!(await reads.get(PREFIX + name))) throw unknownToIntent(name);
    return { [GUARD]: name };
  }

  /** Whether a profile can install a machine, as that stands in the transaction. @throws Problem profile_unknown, profile_unfit */
  async requireFit(name: string, machine: Machine, reads: Reads): Promise<void> {
    const entry = await reads.get(PREFIX + name);
    if (!entry) throw unknownToIntent(name);
    const reason = profileProblem(InstallerProfile.parse(entry.value), machine.variables ?? {});
    if (reason !== undefined)
      throw problem('profile_unfit', {
        field: 'profile',
        facts: { profile: name, machine: machine.id, reason },
      });
  }
}

export function namedByProfiles(profiles: readonly InstallerProfile[]): Naming[] {
  return profiles.map(({ name, release }) => ({ release, use: { kind: 'profile', name } }));
}

function unknownToIntent(name: string): Error {
  return problem('profile_unknown', { field: 'profile', facts: { profile: name } });
}

function unknownProfile(name: string): Error {
  return problem('not_found', { facts: { kind: 'profile', name } });
}

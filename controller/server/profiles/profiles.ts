import { isDeepStrictEqual } from 'node:util';
import {
  assignmentFitProblem,
  effectiveVariables,
  type Intent,
  intentToInstall,
  Machine,
  Profile,
  problem,
  profileFitProblem,
  profileReleaseProblem,
  Segment,
} from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import type { Naming } from '../catalogue/release-uses.ts';
import { SEGMENTS_PREFIX } from '../edges/segments.ts';
import type { InstallChoice } from '../machines/assigned-installs.ts';
import { assignmentsIn } from '../machines/assignments.ts';
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

/** An assignment, or what is known of one. */
type NamedChoice = InstallChoice & { readonly name: string };

/** How machines are installed: an image by the agent, or a distribution by its own installer. */
export class Profiles {
  readonly #parts: ProfilesParts;

  constructor(parts: ProfilesParts) {
    this.#parts = parts;
  }

  async list(): Promise<Profile[]> {
    const entries = await this.#parts.store.list(PREFIX);
    return entries.map(({ value }) => Profile.parse(value));
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<Profile> {
    const entry = await this.#parts.store.get(PREFIX + name);
    if (!entry) throw unknownProfile(name);
    return Profile.parse(entry.value);
  }

  /**
   * Machines that are to be installed by it already get it as it is now.
   * @throws Problem input_invalid, profile_release_unfit, assignment_unfit, machine_release_unknown, channel_unknown
   */
  async replace(name: string, profile: Profile): Promise<Profile> {
    if (profile.name !== name)
      throw problem('input_invalid', { field: 'name', facts: { reason: `must be ${name}, as in the path` } });
    const { store, hold, manifestOf } = this.#parts;
    const { release } = profile;
    return transact(store, `profile ${name}`, async (reads) => {
      const beside = await hold(release, reads);
      requireRelease(profile, release, await manifestOf(release));
      const held = await reads.get(PREFIX + name);
      if (held && isDeepStrictEqual(held.value, profile)) return { result: profile };
      for (const assignment of await assignmentsIn(reads))
        if (assignment.profile === name) requireAssignment(assignment, profile);
      return { put: { [PREFIX + name]: profile, ...beside }, result: profile };
    });
  }

  /** @throws Problem not_found, profile_in_use, profile_of_segment, profile_assigned */
  remove(name: string): Promise<void> {
    const { store } = this.#parts;
    return transact(store, `profile ${name}`, async (reads) => {
      if (!(await reads.get(PREFIX + name))) throw unknownProfile(name);
      await reads.get(GUARD);
      for (const { value } of await store.list(MACHINES_PREFIX)) {
        const { id, intent } = Machine.parse(value);
        if (intent && 'profile' in intent && intent.profile === name)
          throw problem('profile_in_use', { facts: { profile: name, machine: id } });
      }
      for (const { value } of await store.list(SEGMENTS_PREFIX)) {
        const { name: segment, unknownMachines } = Segment.parse(value);
        if (typeof unknownMachines === 'object' && unknownMachines.installBy === name)
          throw problem('profile_of_segment', { facts: { profile: name, segment } });
      }
      const assigned = (await assignmentsIn(reads)).find(({ profile }) => profile === name);
      if (assigned)
        throw problem('profile_assigned', { facts: { profile: name, assignment: assigned.name } });
      return { put: { [GUARD]: name }, remove: [PREFIX + name], result: undefined };
    });
  }

  /** For a transaction that keeps an intent. @returns what to put beside it. @throws Problem profile_unknown */
  async hold(name: string, reads: Reads): Promise<Readonly<Record<string, unknown>>> {
    if (!(await reads.get(PREFIX + name))) throw unknownToIntent(name);
    return { [GUARD]: name };
  }

  /** For a transaction that is about machines. @throws Problem profile_unknown */
  async within(name: string, reads: Pick<Reads, 'get'>): Promise<Profile> {
    const entry = await reads.get(PREFIX + name);
    if (!entry) throw unknownToIntent(name);
    return Profile.parse(entry.value);
  }

  /** What installs by a choice, which may be an assignment. @throws Problem profile_unknown, assignment_unfit */
  async intentBy(choice: InstallChoice, reads: Pick<Reads, 'get'>): Promise<Intent> {
    const profile = await this.within(choice.profile, reads);
    const { name } = choice;
    if (name !== undefined) requireAssignment({ ...choice, name }, profile);
    return intentToInstall(profile, choice.release);
  }

  /** Whether an assignment and its profile fit each other. @throws Problem profile_unknown, assignment_unfit, profile_release_unfit */
  async requireAssignable(assignment: NamedChoice, reads: Reads): Promise<void> {
    const profile = await this.within(assignment.profile, reads);
    requireAssignment(assignment, profile);
    const { release } = assignment;
    if (release !== undefined) requireRelease(profile, release, await this.#parts.manifestOf(release));
  }

  /**
   * Whether a profile can do to a machine what its intent says, as that stands in the transaction.
   * @throws Problem profile_unknown, profile_unfit, profile_release_unfit
   */
  async requireFit(
    { kind, profile: name, ...rest }: Extract<Intent, { profile: string }>,
    machine: Machine,
    reads: Reads,
  ): Promise<void> {
    const profile = await this.within(name, reads);
    const reason = profileFitProblem(profile, kind, effectiveVariables(machine) ?? {});
    if (reason !== undefined)
      throw problem('profile_unfit', {
        field: 'profile',
        facts: { profile: name, machine: machine.id, reason },
      });
    const release = 'release' in rest ? rest.release : undefined;
    if (release !== undefined) requireRelease(profile, release, await this.#parts.manifestOf(release));
  }
}

/** @param manifest of the release; undefined where it is not published. @throws Problem profile_release_unfit */
function requireRelease(profile: Profile, release: string, manifest: Manifest | undefined): void {
  const reason = manifest && profileReleaseProblem(profile, manifest);
  if (reason === undefined) return;
  const { kind } = profile;
  throw problem('profile_release_unfit', { field: 'release', facts: { release, kind, reason } });
}

/** @throws Problem assignment_unfit */
function requireAssignment(assignment: NamedChoice, profile: Profile): void {
  const reason = assignmentFitProblem(assignment, profile);
  if (reason === undefined) return;
  const facts = { assignment: assignment.name, profile: profile.name, reason };
  throw problem('assignment_unfit', { field: 'profile', facts });
}

export function namedByProfiles(profiles: readonly Profile[]): Naming[] {
  return profiles.map(({ name, release }) => ({ release, use: { kind: 'profile', name } }));
}

function unknownToIntent(name: string): Error {
  return problem('profile_unknown', { field: 'profile', facts: { profile: name } });
}

function unknownProfile(name: string): Error {
  return problem('not_found', { facts: { kind: 'profile', name } });
}

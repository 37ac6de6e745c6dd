import type { Assignment } from './assignment.ts';
import type { Intent } from './intent.ts';
import type { Profile } from './profile.ts';

/** Why an assignment cannot have machines installed by its profile; undefined where it can. Pure. */
export function assignmentFitProblem(
  { release, variables = {} }: Partial<Pick<Assignment, 'release' | 'variables'>>,
  profile: Profile,
): string | undefined {
  if (release !== undefined && profile.kind !== 'image')
    return `a profile of kind ${profile.kind} runs its own release, and the assignment names ${release}`;
  const known = profile.kind === 'image' ? {} : profile.variables;
  const unknown = Object.keys(variables).find((name) => !Object.hasOwn(known, name));
  return unknown === undefined ? undefined : `the profile has no variable '${unknown}'`;
}

/** What installs by a profile, and where one is named in the place of its own by that release. */
export function intentToInstall(
  { kind, name: profile }: Pick<Profile, 'kind' | 'name'>,
  release: string | undefined,
): Intent {
  if (kind !== 'image') return { kind: 'installer', profile };
  return { kind: 'install', profile, ...(release === undefined ? {} : { release }) };
}

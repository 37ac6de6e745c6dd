import type { Assignment } from './assignment.ts';
import { firstBootFault } from './first-boot-texts.ts';
import { answersFault } from './installer-profile.ts';
import type { Intent } from './intent.ts';
import type { Profile } from './profile.ts';

/** Why an assignment cannot have machines installed by its profile; undefined where it can. Pure. */
export function assignmentFitProblem(
  {
    release,
    variables = {},
    kernelArguments = [],
  }: Partial<Pick<Assignment, 'release' | 'variables' | 'kernelArguments'>>,
  profile: Profile,
): string | undefined {
  if (release !== undefined && profile.kind !== 'image')
    return `a profile of kind ${profile.kind} runs its own release, and the assignment names ${release}`;
  const hole = kernelArguments.find((argument) => argument.includes('{{'));
  if (hole !== undefined) return `kernel arguments have no holes, and '${hole}' looks like one`;
  const known = profile.variables ?? {};
  const unknown = Object.keys(variables).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) return `the profile has no variable '${unknown}'`;
  if (profile.kind !== 'image') return answersFault(profile, variables);
  const fault = firstBootFault(profile, variables);
  return fault && `firstBoot.${fault.text}: ${fault.reason}`;
}

/** What installs by a profile, and where one is named in the place of its own by that release. */
export function intentToInstall(
  { kind, name: profile }: Pick<Profile, 'kind' | 'name'>,
  release: string | undefined,
): Intent {
  if (kind !== 'image') return { kind: 'installer', profile };
  return { kind: 'install', profile, ...(release === undefined ? {} : { release }) };
}

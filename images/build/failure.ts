import type { Problem } from '@bootswarm/images/format';
import { problem } from './problems.ts';
import type { Recipe } from './recipe.ts';

export interface FailedTool {
  readonly tool: string;
  /** Everything the tool printed. */
  readonly output: string;
  readonly recipe: Pick<Recipe, 'suite' | 'architecture' | 'kernel'>;
  /** Where it was building. */
  readonly folder: string;
  /** Where its output is kept. */
  readonly log: string;
}

/** Names the cause of a failed build from what mmdebstrap, apt, dpkg or mksquashfs printed. */
export function buildFailure(failed: FailedTool): Problem {
  const { output, recipe, log } = failed;
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const { suite, architecture } = recipe;

  if (/No space left on device/.test(output))
    return problem('disk_full', { facts: { folder: failed.folder } });

  const missing = /Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate/.exec(
    output,
  );
  const name = missing?.[1] ?? missing?.[2];
  if (name !== undefined) {
    const field = name.replace(/:.*/, '') === recipe.kernel ? 'kernel' : 'packages';
    return problem('package_missing', { field, facts: { package: name, suite, architecture } });
  }

  if (/cannot be executed|arch-test|qemu-user/.test(lastLines(lines)) && !output.includes('bootswarm: ')) {
    return problem('architecture_foreign', {
      field: 'architecture',
      facts: { architecture, reason: lastLines(lines.slice(-1)) },
    });
  }

  const refused = lines.find((line) =>
    /^E: (The repository|Failed to fetch|Unable to fetch|Some index)/.test(line),
  );
  if (refused !== undefined) {
    return problem('mirror_failed', { facts: { suite, reason: refused.replace(/^E: /, ''), log } });
  }

  const step = lines.findLast((line) => line.startsWith('bootswarm: '));
  if (step !== undefined) {
    const since = lines.slice(lines.lastIndexOf(step) + 1).filter((line) => !/^[EI]: /.test(line));
    return problem('step_failed', {
      field: fieldOf(step),
      facts: { step: step.replace('bootswarm: ', ''), tail: lastLines(since), log },
    });
  }
  return problem('build_failed', { facts: { tool: failed.tool, tail: lastLines(lines), log } });
}

/** The part of the recipe that a step of configure.sh stands for. */
function fieldOf(step: string): string {
  const verb = step.split(' ')[1] ?? '';
  return (
    { user: 'users', file: 'files', service: 'services', hook: 'hooks', initramfs: 'kernel' }[verb] ?? 'hooks'
  );
}

function lastLines(lines: readonly string[]): string {
  return lines.slice(-8).join('\n');
}

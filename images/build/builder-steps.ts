import { randomUUID } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { BuildCache } from './cache.ts';
import { buildFailure } from './failure.ts';
import { type BuildProgress, progressOf } from './progress.ts';
import type { Recipe } from './recipe.ts';
import { runTool, type ToolRun } from './tool.ts';
import type { WorkFolder } from './work-folder.ts';

/** One build under way: what each of its steps is told. */
export interface Build {
  readonly recipe: Recipe;
  readonly recipeFolder: string;
  readonly work: WorkFolder;
  /** None where the build shall take nothing from earlier ones. */
  readonly cache: BuildCache | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BuildProgress) => void;
}

export type Step = Pick<ToolRun, 'command' | 'package' | 'arguments'> & {
  readonly environment?: ToolRun['environment'];
};

/**
 * Runs one tool, with a clean environment and its output in a log.
 * @throws Problem of failure.ts, with the log kept where the problem names it; as runTool.
 */
export async function runStep(build: Build, step: Step): Promise<void> {
  const { recipe, work } = build;
  const logFile = join(work.scratch, `${step.command}.log`);
  const log = createWriteStream(logFile);
  // The tool waits for whoever reads its output: where that cannot be written (a full disk), it must end.
  const unwritable = new AbortController();
  log.on('error', (error) => unwritable.abort(error));
  const outcome = await runTool({
    ...step,
    environment: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
      // Else the order of sets in what Python compiles, when its packages are installed, is another each time.
      PYTHONHASHSEED: '0',
      ...step.environment,
    },
    signal: AbortSignal.any([build.signal, unwritable.signal]),
    log,
    onLine: (line) => {
      const progress = progressOf(line);
      if (progress !== undefined) build.onProgress(progress);
    },
  })
    .finally(() => finished(log.end()).catch(() => undefined))
    .catch((error) => {
      throw unwritable.signal.aborted ? unwritable.signal.reason : error;
    });
  unwritable.signal.throwIfAborted();
  if (outcome.ok) return;
  const output = await readFile(logFile, 'utf8');
  const kept = join(tmpdir(), `bootswarm-${recipe.name}-${randomUUID()}.log`);
  const failure = buildFailure({
    tool: step.command,
    output,
    recipe,
    folder: dirname(work.result),
    log: kept,
  });
  // A failure whose cause is plain leaves nothing behind, not even a log.
  if (failure.remedy.includes(kept)) await copyFile(logFile, kept, constants.COPYFILE_EXCL);
  throw failure;
}

/**
 * Seconds since 1970, as a time that is before whatever is written from now on: some programs stamp with whole seconds,
 * and so with one that began before this.
 */
export function fromNowOn(): string {
  return String(Math.floor(Date.now() / 1000) - 1);
}

type TreeVerb = 'copy' | 'settle' | 'newest' | 'changed' | 'digest' | 'size' | 'prune' | 'enter';

/** Runs a verb of root-tree.sh. */
export function runOnTree(
  build: Build,
  verb: TreeVerb,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const script = join(import.meta.dirname, 'root-tree.sh');
  return runStep(build, { command: 'sh', package: 'dash', arguments: [script, verb, ...words], environment });
}

import { constants } from 'node:os';
import { type ControllerClient, connect } from '@bootswarm/controller/client';
import { Problem } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { readCredentials } from './credentials.ts';
import { Output } from './output.ts';
import { problem } from './problems.ts';
import { makeProgress, type Progress } from './progress.ts';

/** What every command works with. */
export interface Session {
  readonly output: Output;
  readonly progress: Progress;
  /** Ends at Ctrl-C. */
  readonly signal: AbortSignal;
  /** @throws Problem not_logged_in */
  client(): ControllerClient;
}

interface GlobalOptions {
  readonly json?: true;
  readonly controller?: string;
}

/** Runs one command: sessions, Ctrl-C, and errors as the operator should read them. Sets the exit code. */
export async function inSession(command: Command, run: (session: Session) => Promise<void>): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const output = new Output(options.json === true);
  const progress = makeProgress(output.json);
  const abort = new AbortController();
  let exitCode = 1;
  const stop = (signal: NodeJS.Signals): void => {
    exitCode = 128 + constants.signals[signal];
    abort.abort(problem('interrupted'));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await run({
      output,
      progress,
      signal: abort.signal,
      client: () => connect(readCredentials(process.env, options.controller)),
    });
  } catch (error) {
    progress.end();
    const found = problemOf(abort.signal.aborted ? abort.signal.reason : error);
    output.problem(found);
    process.exitCode = exitCode;
  } finally {
    progress.end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Errors of the system, such as a file that may not be read, are the operator's to solve; others are defects. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && 'syscall' in error)
    return problem('system', { facts: { reason: error.message }, cause: error });
  throw error;
}
